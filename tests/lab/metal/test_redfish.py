"""The lab's Redfish controller, as OpenStack's client sees it."""

from collections.abc import Iterator
from typing import Any

import pytest
import sushy
from sushy.auth import BasicAuth
from sushy.exceptions import AccessError, ConnectionError, ServerSideError  # noqa: A004 - sushy's name

from lab.metal.qemu import BootDevice, QemuMachine
from lab.metal.rig import MetalRig
from tests.fixtures.metal import MetalFactory


@pytest.fixture(scope="module")
def rig(metal_machines: MetalFactory) -> MetalRig:
    """Two machines behind one controller."""
    return metal_machines((16,), (16,))


@pytest.fixture
def machine(rig: MetalRig) -> Iterator[QemuMachine]:
    """The first, off and healthy at the beginning and the end."""
    machine = rig.machines[0]
    machine.powered_at.clear()
    yield machine
    machine.close()
    machine.faults.ignores_boot_once = False
    machine.set_boot_device(BootDevice.DISK)


def _client(rig: MetalRig, password: str = "", seconds: float = 60.0) -> Any:
    auth = BasicAuth(rig.redfish.user, password or rig.redfish.password)
    connector = sushy.connector.Connector(
        rig.redfish.url, server_side_retries=0, response_callback=None, default_request_timeout=seconds
    )
    return sushy.Sushy(rig.redfish.url, auth=auth, connector=connector)


def _system(rig: MetalRig, machine: QemuMachine) -> Any:
    return _client(rig).get_system(rig.redfish.system_path(machine))


def test_it_shows_its_machines(rig: MetalRig, machine: QemuMachine) -> None:
    """Each with serial, UUID, power state and the MAC of its card."""
    system = _system(rig, machine)

    assert len(_client(rig).get_system_collection().get_members()) == 2
    assert system.json["SerialNumber"] == machine.spec.serial
    assert system.uuid == str(machine.spec.uuid)
    assert system.power_state == sushy.PowerState.OFF
    assert list(system.ethernet_interfaces.summary) == [machine.spec.mac]


def test_power_obeys(rig: MetalRig, machine: QemuMachine) -> None:
    """On, restart and off are seen at the machine and in the next answer."""
    system = _system(rig, machine)

    seen = []
    for reset in (sushy.ResetType.ON, sushy.ResetType.FORCE_RESTART, sushy.ResetType.FORCE_OFF):
        system.reset_system(reset)
        system.refresh(force=True)
        seen.append((machine.is_on, system.power_state, len(machine.powered_at)))

    on, off = sushy.PowerState.ON, sushy.PowerState.OFF
    assert seen == [(True, on, 1), (True, on, 2), (False, off, 2)]


def test_boot_once_counts_once(rig: MetalRig, machine: QemuMachine) -> None:
    """After the next power-on the disk is first again; the document says which it is."""
    system = _system(rig, machine)

    system.set_system_boot_options(sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE)
    system.refresh(force=True)
    assert (system.boot.target, system.boot.enabled) == (
        sushy.BootSource.PXE,
        sushy.BootSourceOverrideEnabled.ONCE,
    )
    system.reset_system(sushy.ResetType.ON)
    system.refresh(force=True)

    assert system.boot.target == sushy.BootSource.HDD


def test_firmware_that_ignores_boot_once_keeps_the_network_first(rig: MetalRig, machine: QemuMachine) -> None:
    """The fault of a boot loop."""
    machine.faults.ignores_boot_once = True
    system = _system(rig, machine)

    system.set_system_boot_options(sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE)
    machine.power_on()

    assert machine.boot_device is BootDevice.PXE


def test_a_wrong_password_is_refused(rig: MetalRig, machine: QemuMachine) -> None:
    """401 for everything below the root."""
    with pytest.raises(AccessError):
        _client(rig, "wrong").get_system(rig.redfish.system_path(machine))


def test_it_can_be_unavailable(rig: MetalRig, machine: QemuMachine) -> None:
    """503, as often as told; then it answers again."""
    client = _client(rig)
    rig.redfish.faults.answers_503 = 1

    with pytest.raises(ServerSideError):
        client.get_system(rig.redfish.system_path(machine))

    assert client.get_system(rig.redfish.system_path(machine)).power_state == sushy.PowerState.OFF


def test_it_can_hang(rig: MetalRig, machine: QemuMachine) -> None:
    """A request gets no answer; the client gives up by its own timeout."""
    client = _client(rig, seconds=2.0)
    rig.redfish.faults.hangs = True
    try:
        with pytest.raises(ConnectionError):
            client.get_system(rig.redfish.system_path(machine))
    finally:
        rig.redfish.faults.hangs = False
