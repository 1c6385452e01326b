"""The machine hall: machines that keep serial, MAC and disks from one run of the lab to the next."""

import ipaddress
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from lab.document import MetalImage, MetalMachine, MetalSection, write_private
from lab.metal.debian import NAME as DEBIAN
from lab.metal.debian import ensure_debian
from lab.metal.images import LabImage, ensure_images
from lab.metal.qemu import MachineSpec
from lab.metal.rig import MetalRig, default_specs, metal_rig
from lab.metal.settings import MetalSettings

_FIRST_ADDRESS = 10


class MachineHall:
    """A rig, and what it is to those who read ``lab.json``."""

    def __init__(self, rig: MetalRig, images: dict[str, LabImage]) -> None:
        self.rig = rig
        self._images = images

    def section(self, control_url: str) -> MetalSection:
        """How to reach the machines' controller, and what the machines are."""
        network, redfish = self.rig.network, self.rig.redfish
        return MetalSection(
            control_url=control_url,
            redfish_url=redfish.url,
            user=redfish.user,
            password=redfish.password,
            host_address=network.host_address,
            interface=network.interface,
            subnet=str(network.subnet),
            ipv6_prefix=network.ipv6_prefix,
            machines=[
                MetalMachine(
                    name=machine.spec.name,
                    serial=machine.spec.serial,
                    mac=machine.spec.mac,
                    system=redfish.system_path(machine),
                    boot_address=network.address(_FIRST_ADDRESS + number),
                    cores=machine.spec.cores,
                    memory_mib=machine.spec.memory_mib,
                    disk_mib=list(machine.spec.disk_mib),
                    disks=[str(path) for path in machine.disks],
                    console=str(machine.console_path),
                )
                for number, machine in enumerate(self.rig.machines)
            ],
            images=[
                MetalImage(path=str(image.path), image=image.image.model_dump(mode="json"))
                for image in self._images.values()
            ],
        )


@contextmanager
def machine_hall(settings: MetalSettings) -> Iterator[MachineHall]:
    """Machines as ``settings`` want them, off; blocks while images are built for the first time.

    Raises:
        MetalLabError: this computer cannot run machines; the message says why.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    images = ensure_images()
    if settings.real_debian:
        images[DEBIAN] = ensure_debian()
    specs = _specs(settings.folder / "machines.json", settings.count, settings.disk_mib)
    with metal_rig(settings.folder, specs) as rig:
        for pool in settings.pools:
            rig.network.play_gateway(ipaddress.IPv4Network(pool))
        yield MachineHall(rig, images)


def _specs(path: Path, count: int, disk_mib: Sequence[int]) -> list[MachineSpec]:
    """The machines of an earlier run, and as many new ones as are lacking."""
    known = [_spec(item) for item in json.loads(path.read_bytes())["machines"]] if path.exists() else []
    fresh = default_specs(count, disk_mib)
    specs = [*known[:count], *fresh[len(known) :]]
    write_private(path, {"machines": [_document(spec) for spec in specs]})
    return specs


def _document(spec: MachineSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "serial": spec.serial,
        "mac": spec.mac,
        "disk_mib": list(spec.disk_mib),
        "uuid": str(spec.uuid),
    }


def _spec(document: dict[str, object]) -> MachineSpec:
    sizes = document["disk_mib"]
    assert isinstance(sizes, list)  # noqa: S101 - we wrote it
    return MachineSpec(
        name=str(document["name"]),
        serial=str(document["serial"]),
        mac=str(document["mac"]),
        disk_mib=tuple(sizes),
        uuid=UUID(str(document["uuid"])),
    )
