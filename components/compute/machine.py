"""The four resources of a dedicated machine, as programs declare them; what they do is in ``pxe.provider``.

The engine needs ``SLIPWAY_METAL_URL``, ``SLIPWAY_METAL_GRANT`` and ``SLIPWAY_BMC_*`` in its environment.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.specs import BareMetalSpec
from pxe.inputs import ClaimInputs, InstallationInputs, MachineInputs, ProfileInputs, WipeInputs
from pxe.provider import BootProfileProvider, InstallationProvider, MachineClaimProvider, WipeProvider

Options = pulumi.ResourceOptions | None


class MachineClaim(Resource, module="slipway", name="MachineClaim"):
    """A machine of the pool is this workload's; given back when it is proven to be empty."""

    name: pulumi.Output[str]

    def __init__(self, label: str, spec: BareMetalSpec, *, opts: Options = None) -> None:
        machine = spec.machine
        inputs = ClaimInputs(**_about(spec), serial=machine.serial, boot_mac=machine.boot_mac)
        super().__init__(MachineClaimProvider(), label, _plain(inputs), opts)


class Wipe(Resource, module="slipway", name="Wipe"):
    """The machine's disks are wiped and its BMC cleaned when this is deleted."""

    def __init__(self, label: str, spec: BareMetalSpec, *, opts: Options = None) -> None:
        super().__init__(WipeProvider(), label, _plain(WipeInputs(**_about(spec))), opts)


class BootProfile(Resource, module="slipway", name="BootProfile"):
    """What the next installation writes."""

    digest: pulumi.Output[str]

    def __init__(self, label: str, spec: BareMetalSpec, *, opts: Options = None) -> None:
        profile = spec.profile
        inputs = ProfileInputs(**_about(spec), profile=profile, digest=profile.digest)
        super().__init__(BootProfileProvider(), label, _plain(inputs), opts)


class Installation(Resource, module="slipway", name="Installation"):
    """What runs on the machine. What is to be on its disks is never changed but by installing again, in place."""

    image: pulumi.Output[str]
    phase_seconds: pulumi.Output[Mapping[str, float]]
    """How long each phase of the last installation took."""

    def __init__(self, label: str, spec: BareMetalSpec, *, opts: Options = None) -> None:
        inputs = InstallationInputs(
            **_about(spec),
            image=spec.image.name,
            profile_digest=spec.profile.digest,
            installation=spec.installation,
            started=spec.started,
            rescue=spec.rescue,
            address=spec.network.ipv4.address,
        )
        super().__init__(InstallationProvider(), label, {**_plain(inputs), "phase_seconds": None}, opts)


def _about(spec: BareMetalSpec) -> dict[str, Any]:
    machine = spec.machine
    return {"machine_id": machine.machine_id, "name": machine.name, "workload_id": spec.workload_id}


def _plain(inputs: MachineInputs) -> dict[str, Any]:
    return inputs.model_dump(mode="json")
