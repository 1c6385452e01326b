"""The engine's view of a server's names. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.robot.checks import check_inputs, is_unknown
from components.robot.connection import robot_settings, shared_robot
from components.robot.servers import LiveServer, Servers
from components.specs.robot_server import RobotServerSpec


class RobotServerProvider(ResourceProvider):
    """Name and reverse DNS of a server that is there; deleting the resource never touches the server itself."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what Robot would refuse, before anything is written."""
        return check_inputs(RobotServerSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Names change in place; another number is another server."""
        if is_unknown(_news.get("number")):
            return DiffResult(changes=True, replaces=["number"])
        replaces = ["number"] if int(_olds["number"]) != int(_news["number"]) else []
        is_other = any(is_unknown(_news.get(key)) or _olds.get(key) != _news.get(key) for key in ("name", "rdns"))
        return DiffResult(changes=is_other or bool(replaces), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Give the names."""
        live = _servers().name(_spec(props))
        return CreateResult(str(live.number), _outputs(live, props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is really there; names of addresses that are not ours to say are left out."""
        live = _servers().get(int(id_))
        return ReadResult(None, {}) if live is None else ReadResult(id_, _outputs(live, props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Give the new names, and remove those that are no longer wanted."""
        return UpdateResult(_outputs(_servers().name(_spec(_news), no_longer=_olds.get("rdns")), _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the reverse names that are still as we wrote them."""
        _servers().forget(int(_id), _props.get("rdns") or {})


def _servers() -> Servers:
    return Servers(shared_robot(robot_settings()))


def _spec(props: dict[str, Any]) -> RobotServerSpec:
    return RobotServerSpec(number=int(props["number"]), name=props["name"], rdns=props.get("rdns") or {})


def _outputs(live: LiveServer, props: dict[str, Any]) -> dict[str, Any]:
    ours = props.get("rdns") or {}
    return {
        "number": live.number,
        "name": live.name,
        "rdns": {address: live.rdns[address] for address in ours if address in live.rdns},
        "address": live.address,
        "network": live.network,
        "product": live.product,
        "datacenter": live.datacenter,
    }
