"""What is really there, as the checks need it. Whoever looks (a test, the lab, an operator's tool) fills it in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

OUR_TAG = "slipway"
_ORDER_TAG = "order-"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise.

    Attributes:
        invariant: its number, ``I1`` to ``I14``.
        subject: whose: an id, or the name of a node, a stack or a record.
        what: a sentence.
    """

    invariant: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.what}"


@dataclass(frozen=True, slots=True)
class SeenGuest:
    """A guest on a node, of whatever kind, templates left out.

    Attributes:
        addresses: without prefix lengths.
        macs: in lower case.
    """

    node: str
    vmid: int
    tags: frozenset[str]
    addresses: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()

    @property
    def is_ours(self) -> bool:
        """Whether it bears our tag."""
        return OUR_TAG in self.tags

    @property
    def order_id(self) -> str | None:
        """The order that it was made for, by its tag."""
        return next((tag.removeprefix(_ORDER_TAG) for tag in self.tags if tag.startswith(_ORDER_TAG)), None)


@dataclass(frozen=True, slots=True)
class World:
    """One look at everything outside our tables.

    Attributes:
        records: name and type of each address record in our zones to what it says; None if nobody looked.
        money: what the payment provider holds of each order's payment, in cents; None if nobody asked.
        engines: how many engines live, by stack.
    """

    guests: tuple[SeenGuest, ...] = ()
    records: Mapping[tuple[str, str], tuple[str, ...]] | None = None
    money: Mapping[UUID, int] | None = None
    engines: Mapping[str, int] = field(default_factory=dict)


class Outside(Protocol):
    """Looks at the world; blocks."""

    def look(self) -> World:
        """Return what is there now."""


class StateCheck(Protocol):
    """Checks the engine's state; blocks."""

    def __call__(self) -> Iterable[tuple[str, str]]:
        """Return each stack whose state is wrong, and what is wrong with it."""
