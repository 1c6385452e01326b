"""Orders of dedicated servers. Every call blocks. Nothing here is ever sent twice, and nothing cancels a server."""

from dataclasses import dataclass
from typing import Any

from components.robot.client import Robot
from components.robot.errors import RobotError, RobotRefused, RobotUnreachable
from components.specs.robot_order import RobotOrderSpec

_NONE = "NOT_FOUND"
TESTED = "tested"
"""The status of what Robot has checked and not placed."""


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """An order as Robot shows it.

    Attributes:
        transaction: Robot's number of it; empty if it was only checked.
        status: ``in process``, ``ready``, ``cancelled``, or ``tested``.
        server: the number of the delivered server; 0 until then.
    """

    transaction: str
    status: str
    server: int = 0
    address: str = ""

    @classmethod
    def read(cls, document: dict[str, Any]) -> "LiveOrder":
        """Take it from Robot's answer."""
        server, address = document["server_number"] or 0, document["server_ip"] or ""
        return cls(str(document["id"]), document["status"], int(server), address)


class Orders:
    """The orders of one login."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def get(self, shop: str, transaction: str) -> LiveOrder | None:
        """Return an order, None if Robot does not show it any more."""
        try:
            return LiveOrder.read(self._robot.get(f"/order/{shop}/transaction/{transaction}")["transaction"])
        except RobotRefused as error:
            if error.code == _NONE:
                return None
            raise

    def find(self, spec: RobotOrderSpec) -> LiveOrder | None:
        """Return the order that was placed under this reference, None if there is none.

        Raises:
            RobotError: if there are several.
        """
        try:
            entries = self._robot.get(f"/order/{spec.shop}/transaction")
        except RobotRefused as error:
            if error.code == _NONE:
                return None
            raise
        ours = [item["transaction"] for item in entries if item["transaction"].get("comment") == spec.comment]
        if len(ours) > 1:
            numbers = ", ".join(item["id"] for item in ours)
            raise RobotError(f"Robot has several orders '{spec.comment}': {numbers}; ask Hetzner before anything else")
        return LiveOrder.read(ours[0]) if ours else None

    def place(self, spec: RobotOrderSpec) -> LiveOrder:
        """Place an order, or with ``test`` have it checked. One that was placed already is found instead.

        Raises:
            RobotError: see :class:`Robot`; a lost answer is looked up, and never answered with another order.
        """
        if not spec.test:
            placed = self.find(spec)
            if placed is not None:
                return placed
        fields: dict[str, str | list[str]] = {
            "product_id": spec.product,
            "authorized_key[]": [spec.key],
            "comment": spec.comment,
            "test": str(spec.test).lower(),
            **({"location": spec.location} if spec.location else {}),
        }
        try:
            answer = self._robot.write("POST", f"/order/{spec.shop}/transaction", fields)["transaction"]
        except RobotUnreachable:
            found = None if spec.test else self.find(spec)
            if found is None:
                raise
            return found
        return LiveOrder("", TESTED) if spec.test else LiveOrder.read(answer)
