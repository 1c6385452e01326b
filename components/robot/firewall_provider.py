"""The engine's view of a server's firewall. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.robot.checks import check_inputs, is_unknown
from components.robot.connection import robot_settings, shared_robot
from components.robot.firewalls import Firewalls
from components.specs.robot_firewall import RobotFirewallRules, RobotFirewallSpec

_PARTS = tuple(RobotFirewallRules.model_fields)


class RobotFirewallProvider(ResourceProvider):
    """Every server has one firewall: creating the resource gives it rules, deleting it takes them off."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what Robot would refuse, before anything is written."""
        return check_inputs(RobotFirewallSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Rules change in place; another number is another server's firewall."""
        if is_unknown(_news.get("number")):
            return DiffResult(changes=True, replaces=["number"])
        replaces = ["number"] if int(_olds["number"]) != int(_news["number"]) else []
        is_other = any(is_unknown(_news.get(key)) or _olds.get(key) != _news.get(key) for key in _PARTS)
        return DiffResult(changes=is_other or bool(replaces), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Give the server its rules, in place of whatever is there."""
        spec = _spec(props)
        return CreateResult(str(spec.number), _outputs(spec.number, _firewalls().apply(spec)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is really there."""
        del props
        live = _firewalls().get(int(id_))
        return ReadResult(None, {}) if live is None else ReadResult(id_, _outputs(int(id_), live))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Give it its new rules."""
        spec = _spec(_news)
        return UpdateResult(_outputs(spec.number, _firewalls().apply(spec)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take the firewall off."""
        _firewalls().clear(int(_id))


def _firewalls() -> Firewalls:
    settings = robot_settings()
    return Firewalls(shared_robot(settings), settings.poll_seconds)


def _spec(props: dict[str, Any]) -> RobotFirewallSpec:
    return RobotFirewallSpec.model_validate({key: props[key] for key in ("number", *_PARTS) if key in props})


def _outputs(number: int, rules: dict[str, Any]) -> dict[str, Any]:
    return {"number": number, **rules}
