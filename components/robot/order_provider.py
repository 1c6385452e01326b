"""The engine's view of an order. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.robot.checks import check_inputs, is_unknown
from components.robot.connection import robot_settings, shared_robot
from components.robot.errors import RobotError
from components.robot.orders import LiveOrder, Orders
from components.specs.robot_order import RobotOrderSpec

_INPUTS = tuple(RobotOrderSpec.model_fields)
_WHAT = ("shop", "product", "location", "key")


class RobotOrderProvider(ResourceProvider):
    """An order, known by our reference. Deleting the resource cancels neither it nor the server that came of it."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse an order that costs money and that nobody has approved, or another one in the place of one placed."""
        return check_inputs(RobotOrderSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Everything is noted in place, so that nothing is ever ordered as a replacement."""
        is_other = any(is_unknown(_news.get(key)) or _olds.get(key) != _news.get(key) for key in _INPUTS)
        return DiffResult(changes=is_other, replaces=[])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Have it checked, or placed; an order that an interrupted run has placed is found by its reference."""
        spec = _spec(props)
        return CreateResult(spec.reference, _outputs(props, _orders().place(spec)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """See what has become of it. Robot forgets orders after some weeks; the state then keeps what was seen."""
        transaction = props.get("transaction") or ""
        live = _orders().get(props["shop"], transaction) if transaction else None
        return ReadResult(id_, _outputs(props, live or _noted(props)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Place what was only checked before. What was placed stays as it was placed.

        Raises:
            RobotError: if another thing is wanted than was placed.
        """
        if not _olds.get("transaction"):
            return UpdateResult(_outputs(_news, _orders().place(_spec(_news))))
        other = [key for key in ("reference", *_WHAT) if _olds.get(key) != _news.get(key)]
        if other or _news.get("test"):
            changed = ", ".join(other or ["test"])
            raise RobotError(
                f"order {_olds['transaction']} is placed, and {changed} of it cannot be changed; put it back, and give "
                "another order a resource of its own"
            )
        return UpdateResult(_outputs(_news, _noted(_olds)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forget it; a server is cancelled at Robot by somebody who means it."""


def _orders() -> Orders:
    return Orders(shared_robot(robot_settings()))


def _spec(props: dict[str, Any]) -> RobotOrderSpec:
    return RobotOrderSpec.model_validate({key: props[key] for key in _INPUTS if key in props})


def _noted(props: dict[str, Any]) -> LiveOrder:
    number = int(props.get("server_number") or 0)
    return LiveOrder(props.get("transaction") or "", props.get("status") or "", number, props.get("address") or "")


def _outputs(props: dict[str, Any], live: LiveOrder) -> dict[str, Any]:
    found = {"transaction": live.transaction, "status": live.status, "server_number": live.server}
    return {**{key: props.get(key) for key in _INPUTS}, **found, "address": live.address}
