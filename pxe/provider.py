"""The engine's view of a dedicated machine: four short resources.

Named in the state of stacks: never move or rename the classes. An instance holds nothing until it is used, so nothing
but the class's name gets into the state; address, grant and BMC login come from the engine's environment.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from components.robot.checks import PROVIDER_KEY, check_inputs, is_unknown
from components.specs.machine import MachineState
from pxe.errors import ApiRefused, WrongMachine
from pxe.holding import Holding
from pxe.inputs import ClaimInputs, InstallationInputs, MachineInputs, ProfileInputs, WipeInputs
from pxe.installing import Installer, found
from pxe.views import MachineView
from pxe.wiping import Wiper

if TYPE_CHECKING:
    from pxe.hands import Hands

Inputs = TypeVar("Inputs", bound=MachineInputs)
_KEPT = ("machine_id", "workload_id")
"""A workload keeps its machine, and a machine its workload, until the stack is destroyed."""


class _MachineProvider(ResourceProvider):
    """What all four have in common; the resource's id is the machine's."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too
    model: ClassVar[type[MachineInputs]] = MachineInputs
    compared: ClassVar[tuple[str, ...]] = ()
    _take: "Callable[[], Hands] | None" = None

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Hold the inputs against their model, and refuse another machine."""
        checked = check_inputs(self.model, news)
        moved = [key for key in _KEPT if _olds.get(key) and _is_other(_olds[key], checked.inputs.get(key))]
        sentence = "a workload keeps its machine: order another one, and cancel this"
        return CheckResult(checked.inputs, [*checked.failures, *(CheckFailure(key, sentence) for key in moved)])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what is there with what is wanted; whatever changes, changes in place."""
        return DiffResult(changes=any(_differs(_olds, _news, self.compared)), replaces=[])

    def connect(self, take: "Callable[[], Hands]") -> None:
        """Use these hands instead of the environment's."""
        self._take = take

    def _hands(self) -> "Hands":
        if self._take is not None:
            return self._take()
        from pxe.hands import hands_from_environment  # noqa: PLC0415 - BMC libraries: a program needs none of them

        return hands_from_environment()


class MachineClaimProvider(_MachineProvider):
    """A machine is this workload's."""

    model = ClaimInputs
    compared = ("name", "serial", "boot_mac")

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Hold it; holding what is held changes nothing."""
        return CreateResult(str(_parsed(ClaimInputs, props).machine_id), self._held(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look whose it is, and by its BMC whether it is still the same machine."""
        with self._hands() as hands:
            machine = _of(hands.holding, props)
            return ReadResult(None, {}) if machine is None else ReadResult(id_, _claimed(machine, hands.holding))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Look again: what was written down wrong is right now, or it is another machine."""
        return UpdateResult(self._held(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Give it back; refused without proof that it is empty."""
        with self._hands() as hands:
            if _of(hands.holding, _props) is not None:
                hands.holding.api.release()

    def _held(self, props: dict[str, Any]) -> dict[str, Any]:
        wanted = _parsed(ClaimInputs, props)
        with self._hands() as hands:
            hands.holding.api.claim(wanted.machine_id, wanted.serial)
            outputs = _claimed(hands.holding.held(wanted.machine_id, wanted.workload_id), hands.holding)
        for key in ("serial", "boot_mac"):
            if outputs[key] != getattr(wanted, key):
                raise WrongMachine(
                    f"machine '{wanted.name}' has the {key} {outputs[key]}, and {getattr(wanted, key)} is written "
                    "down: it was swapped, or its board was. Look at it and its record"
                )
        return outputs


class WipeProvider(_MachineProvider):
    """A machine is wiped when its workload ends: all of the work is in the deletion."""

    model = WipeInputs
    compared = ("name",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Only note that it has to be done."""
        return CreateResult(str(_parsed(WipeInputs, props).machine_id), _plain(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """There is something to wipe as long as the machine is ours."""
        with self._hands() as hands:
            machine = _of(hands.holding, props)
        return ReadResult(None, {}) if machine is None else ReadResult(id_, _plain(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Note another name."""
        return UpdateResult(_plain(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Wipe the disks and clean the BMC."""
        with self._hands() as hands:
            Wiper(hands.holding, _parsed(WipeInputs, _props), hands.next_password).wipe()


class BootProfileProvider(_MachineProvider):
    """What the next installation writes. Changing it installs nothing by itself."""

    model = ProfileInputs
    compared = ("name", "digest")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Besides the rest: the digest is that of the profile."""
        checked = super().check(_olds, news)
        if not checked.failures and not is_unknown(list(checked.inputs.values())):
            wanted = _parsed(ProfileInputs, checked.inputs)
            if wanted.digest != wanted.profile.digest:
                checked.failures.append(CheckFailure("digest", "this is not the profile's digest"))
        return checked

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Tell it; telling the same again changes nothing."""
        return CreateResult(str(_parsed(ProfileInputs, props).machine_id), self._told(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look which one is there."""
        with self._hands() as hands:
            machine = _of(hands.holding, props)
        if machine is None or machine.profile_digest is None:
            return ReadResult(None, {})
        return ReadResult(id_, {**_plain(props), "digest": machine.profile_digest})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Tell the new one."""
        return UpdateResult(self._told(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Leave nothing to install."""
        with self._hands() as hands:
            if _of(hands.holding, _props) is not None:
                hands.holding.api.delete_profile()

    def _told(self, props: dict[str, Any]) -> dict[str, Any]:
        wanted = _parsed(ProfileInputs, props)
        with self._hands() as hands:
            hands.holding.held(wanted.machine_id, wanted.workload_id)
            digest = hands.holding.api.put_profile(wanted.profile)
        if digest != wanted.digest:
            raise ApiRefused(
                f"the machine API took another profile ({digest}) than was sent ({wanted.digest}): it is of another "
                "version than this engine",
                200,
                "other_profile",
            )
        return _plain(props)


class InstallationProvider(_MachineProvider):
    """What runs on the machine: installed, on or off, or in the rescue system."""

    model = InstallationInputs
    compared = ("name", "image", "profile_digest", "installation", "started", "rescue", "boots_from", "address")
    installing: ClassVar[tuple[str, ...]] = ("image", "profile_digest", "installation")
    """Whatever of these differs, the machine is installed again, in place: its data is lost."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Besides the rest: a counter that goes back would install nothing, and look as if it did."""
        checked = super().check(_olds, news)
        counts = _olds.get("installation", 0), checked.inputs.get("installation", 0)
        if not checked.failures and not is_unknown(list(counts)) and int(counts[1]) < int(counts[0]):
            checked.failures.append(CheckFailure("installation", f"was {int(counts[0])}; it is only ever raised"))
        return checked

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare; a machine in the rescue system is on, whatever else is wanted."""
        differing = set(_differs(_olds, _news, self.compared))
        if _news.get("rescue") is True and _olds.get("rescue") is True and _olds.get("started") is True:
            differing.discard("started")
        return DiffResult(changes=bool(differing), replaces=[])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Install, or go on with what an earlier run has begun."""
        return CreateResult(str(_parsed(InstallationInputs, props).machine_id), self._brought(props, {}, installs=True))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is installed, at the power, and at what it would boot."""
        with self._hands() as hands:
            machine = _of(hands.holding, props)
            if machine is None or machine.state is MachineState.RESERVED:
                return ReadResult(None, {})
            return ReadResult(id_, found(machine, hands.holding, props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Install again if what is to be on the disks has changed; then see to rescue and power."""
        installs = any(_differs(_olds, _news, self.installing))
        return UpdateResult(self._brought(_news, _olds, installs=installs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Switch it off, and end what it is being booted for. What is on the disks is the wipe's affair."""
        with self._hands() as hands:
            if _of(hands.holding, _props) is not None:
                hands.holding.abort("removed", "the workload ends")
                hands.holding.power.rest(at_once=False)

    def _brought(self, props: dict[str, Any], olds: dict[str, Any], *, installs: bool) -> dict[str, Any]:
        wanted = _parsed(InstallationInputs, props)
        known = {**_plain(props), "phase_seconds": olds.get("phase_seconds")}
        with self._hands() as hands:
            installer = Installer(hands.holding, wanted)
            if installs:
                known["phase_seconds"] = installer.install().phase_seconds
            installer.settle()
            return found(hands.holding.held(wanted.machine_id, wanted.workload_id), hands.holding, known)


def _differs(olds: dict[str, Any], news: dict[str, Any], keys: Iterable[str]) -> Iterable[str]:
    return (key for key in keys if is_unknown(news.get(key)) or olds.get(key) != news.get(key))


def _is_other(old: Any, new: Any) -> bool:
    return not is_unknown(new) and new is not None and str(old) != str(new)


def _plain(props: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if key != PROVIDER_KEY}


def _parsed(model: type[Inputs], props: dict[str, Any]) -> Inputs:
    """Read inputs back; the state's outputs have more than the inputs, and numbers become floats on the way."""
    return model.model_validate({key: props[key] for key in model.model_fields if key in props})


def _of(holding: Holding, props: dict[str, Any]) -> MachineView | None:
    return holding.machine(UUID(props["machine_id"]), UUID(props["workload_id"]))


def _claimed(machine: MachineView, holding: Holding) -> dict[str, Any]:
    return {
        "machine_id": str(machine.machine_id),
        "name": machine.name,
        "workload_id": str(machine.workload_id),
        "serial": holding.power.serial() or machine.serial,
        "boot_mac": machine.boot_mac,
    }
