"""The engine's view of an SSH key at Robot. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.robot.checks import check_inputs, is_unknown
from components.robot.connection import robot_settings, shared_robot
from components.robot.keys import Keys, LiveKey
from components.specs.robot_key import RobotKeySpec


class RobotKeyProvider(ResourceProvider):
    """A public key; the resource's id is its fingerprint."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what is no public key."""
        return check_inputs(RobotKeySpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """A name changes in place; another key is another one."""
        replaces = ["data"] if is_unknown(_news.get("data")) or _olds["data"] != _news["data"] else []
        is_renamed = is_unknown(_news.get("name")) or _olds["name"] != _news["name"]
        return DiffResult(changes=is_renamed or bool(replaces), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it known, or take over what is."""
        live = _keys().ensure(_spec(props))
        return CreateResult(live.fingerprint, _outputs(live))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look whether it is there."""
        del props
        live = _keys().get(id_)
        return ReadResult(None, {}) if live is None else ReadResult(id_, _outputs(live))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Give it its new name."""
        return UpdateResult(_outputs(_keys().ensure(_spec(_news))))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forget it."""
        _keys().forget(_id)


def _keys() -> Keys:
    return Keys(shared_robot(robot_settings()))


def _spec(props: dict[str, Any]) -> RobotKeySpec:
    return RobotKeySpec(name=props["name"], data=props["data"])


def _outputs(live: LiveKey) -> dict[str, Any]:
    return {"name": live.name, "data": live.data, "fingerprint": live.fingerprint}
