"""What Pulumi does with the four resources of a machine, in this process: their order, and what it remembers."""

from collections.abc import Callable
from typing import Any, Protocol

from components.specs import BareMetalSpec
from pxe.hands import Hands
from pxe.inputs import ClaimInputs, InstallationInputs, ProfileInputs, WipeInputs
from pxe.provider import BootProfileProvider, InstallationProvider, MachineClaimProvider, WipeProvider


class BadInputs(Exception):  # noqa: N818 - what they are
    """A provider does not take what the component gives it: a fault of ours."""


class _Provider(Protocol):
    def connect(self, take: Callable[[], Hands]) -> None: ...
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> Any: ...
    def create(self, props: dict[str, Any]) -> Any: ...
    def delete(self, _id: str, _props: dict[str, Any]) -> None: ...


_ORDER: tuple[type[Any], ...] = (MachineClaimProvider, WipeProvider, BootProfileProvider, InstallationProvider)


class Stack:
    """One workload's stack: a resource is in it once its creation has succeeded, as in Pulumi's state."""

    def __init__(self, spec: BareMetalSpec) -> None:
        self._inputs = _inputs_of(spec)
        self._state: dict[type[Any], dict[str, Any]] = {}

    def up(self, take: Callable[[], Hands]) -> None:
        """Create what is missing, in order.

        Raises:
            MetalError: of the first that fails.
        """
        for kind in _ORDER:
            if kind not in self._state:
                provider = _connected(kind, take)
                checked = provider.check({}, dict(self._inputs[kind]))
                if checked.failures:
                    raise BadInputs(str([(failure.property, failure.reason) for failure in checked.failures]))
                self._state[kind] = dict(provider.create(checked.inputs).outs)

    def destroy(self, take: Callable[[], Hands]) -> None:
        """Delete what is there, the other way round.

        Raises:
            MetalError: of the first that fails.
        """
        for kind in reversed(_ORDER):
            if kind in self._state:
                _connected(kind, take).delete(self._inputs[kind]["machine_id"], self._state[kind])
                del self._state[kind]


def _connected(kind: type[Any], take: Callable[[], Hands]) -> _Provider:
    provider: _Provider = kind()
    provider.connect(take)
    return provider


def _inputs_of(spec: BareMetalSpec) -> dict[type[Any], dict[str, Any]]:
    """What ``components.compute.machine`` gives to each."""
    machine, profile = spec.machine, spec.profile
    about = {"machine_id": machine.machine_id, "name": machine.name, "workload_id": spec.workload_id}
    installation = InstallationInputs(
        **about,
        image=spec.image.name,
        profile_digest=profile.digest,
        installation=spec.installation,
        started=spec.started,
        rescue=spec.rescue,
        address=spec.network.ipv4.address,
    )
    inputs = {
        MachineClaimProvider: ClaimInputs(**about, serial=machine.serial, boot_mac=machine.boot_mac),
        WipeProvider: WipeInputs(**about),
        BootProfileProvider: ProfileInputs(**about, profile=profile, digest=profile.digest),
        InstallationProvider: installation,
    }
    return {kind: model.model_dump(mode="json") for kind, model in inputs.items()}
