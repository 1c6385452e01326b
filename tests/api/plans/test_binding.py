"""An approval counts for one set of steps in one set of circumstances."""

import pytest

from api.plans.binding import Binding
from api.plans.document import PlanDocument

BINDING = Binding(
    generation=2,
    start_digest="abc",
    versions={"program": "1", "pulumi": "3"},
    price_before_cents=790,
    price_after_cents=790,
    currency="eur",
)
STEP = {"urn": "urn:a", "type": "x:y:VmLegacy", "op": "create", "inputs": {"cores": 2, "name": "web"}}
DOCUMENT = PlanDocument.of([STEP])


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    """A document that the database has stored and returned is the same document."""
    turned = {"inputs": {"name": "web", "cores": 2}, **STEP}
    assert BINDING.hash(PlanDocument.of([dict(reversed(turned.items()))])) == BINDING.hash(DOCUMENT)


@pytest.mark.parametrize(
    "steps", [[], [{**STEP, "op": "replace"}], [{**STEP, "inputs": {"cores": 4}}], [STEP, {**STEP, "urn": "urn:b"}]]
)
def test_other_steps_have_another_hash(steps: list[dict[str, object]]) -> None:
    """Nothing can be slipped in, left out or turned into something else."""
    assert BINDING.hash(PlanDocument.of(steps)) != BINDING.hash(DOCUMENT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"generation": 3}, "something else is wanted"),
        ({"start_digest": None}, "state has changed"),
        ({"versions": {"program": "2", "pulumi": "3"}}, "has been updated"),
        ({"price_after_cents": 990}, "price has changed"),
        ({"currency": "usd"}, "price has changed"),
    ],
)
def test_other_circumstances_are_told_and_change_the_hash(change: dict[str, object], words: str) -> None:
    """Whoever approved did so in other circumstances, and learns which."""
    now = BINDING.replace(**change)
    assert words in (BINDING.moved_to(now) or "")
    assert now.hash(DOCUMENT) != BINDING.hash(DOCUMENT)


def test_the_same_circumstances_have_not_moved() -> None:
    """A plan that is looked at again is still the plan."""
    assert BINDING.moved_to(BINDING.replace()) is None
