"""The engine's view of vSwitches. Named in the state of stacks: never move or rename :class:`VSwitchProvider`."""

from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from components.robot.checks import check_inputs, is_unknown
from components.robot.connection import robot_settings, shared_robot
from components.robot.vswitches import LiveVSwitch, VSwitches, numbers
from components.specs.vswitch import VSwitchSpec


class VSwitchProvider(ResourceProvider):
    """Create, read, update and delete of a vSwitch; the resource's id is Robot's number of it.

    An instance holds nothing until the engine's process configures it, so nothing but the class's name gets into the
    state. Credentials come from that process's environment.
    """

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too
    _vswitches: VSwitches | None = None

    def configure(self, req: ConfigureRequest) -> None:
        """Remember nothing of the stack's configuration: what is needed is in the environment."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what Robot would refuse, before anything exists."""
        return check_inputs(VSwitchSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare name, VLAN and the set of servers; all of them change in place."""
        if is_unknown(_news.get("servers")) or is_unknown([_news["name"], _news["vlan"]]):
            return DiffResult(changes=True, replaces=[])
        return DiffResult(changes=_wanted(_olds) != _wanted(_news), replaces=[])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it, or take over what an interrupted run has made."""
        live = self._robot().ensure(_spec(props))
        return CreateResult(str(live.number), _outputs(live))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is really there; ``props`` is what the state holds."""
        del props
        live = self._robot().get(int(id_))
        return ReadResult(None, {}) if live is None else ReadResult(id_, _outputs(live))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring it to its new form."""
        return UpdateResult(_outputs(self._robot().bring(int(_id), _spec(_news))))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take the servers off and cancel it."""
        self._robot().cancel(int(_id))

    def connect(self, vswitches: VSwitches) -> None:
        """Use this connection instead of the environment's."""
        self._vswitches = vswitches

    def _robot(self) -> VSwitches:
        if self._vswitches is None:
            settings = robot_settings()
            self._vswitches = VSwitches(shared_robot(settings), settings.poll_seconds)
        return self._vswitches


def _spec(props: dict[str, Any]) -> VSwitchSpec:
    return VSwitchSpec(name=props["name"], vlan=int(props["vlan"]), servers=numbers(props.get("servers") or ()))


def _wanted(props: dict[str, Any]) -> tuple[str, int, tuple[int, ...]]:
    """What is compared; not validated, because a hand-made change can be anything."""
    return props["name"], int(props["vlan"]), numbers(props.get("servers") or ())


def _outputs(live: LiveVSwitch) -> dict[str, Any]:
    return {
        "name": live.name,
        "vlan": live.vlan,
        "servers": sorted(live.servers - live.failed),
        "vswitch_id": live.number,
        "subnets": [dict(subnet) for subnet in live.subnets],
        "cloud_networks": [dict(network) for network in live.cloud_networks],
    }
