"""What hangs together, and what does not."""

from typing import Any

import pytest

from api.state.integrity import faults

_PROVIDER = {"urn": "u:p", "type": "pulumi:providers:cloud", "id": "1"}
_STACK = {"urn": "u:s", "type": "pulumi:pulumi:Stack"}
_GUEST = {"urn": "u:g", "type": "cloud:Guest", "id": "7", "parent": "u:s", "provider": "u:p::1"}


def test_a_state_of_the_engine_has_no_fault() -> None:
    """Each refers to what stands before it; the empty state refers to nothing."""
    assert faults({"resources": [_STACK, _PROVIDER, _GUEST, {**_GUEST, "delete": True}]}) == []
    assert faults({}) == []


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        pytest.param([_STACK, _PROVIDER, _GUEST, _GUEST], "u:g stands there twice", id="twice"),
        pytest.param([_PROVIDER, _GUEST], "refers to u:s", id="no parent"),
        pytest.param([_PROVIDER, _GUEST, _STACK], "refers to u:s", id="parent after its child"),
        pytest.param([_STACK, _GUEST], "the provider u:p::1", id="no provider"),
        pytest.param([_STACK, {**_PROVIDER, "id": "2"}, _GUEST], "the provider u:p::1", id="another provider"),
        pytest.param([{**_STACK, "dependencies": ["u:x"]}], "refers to u:x", id="dependency"),
        pytest.param([{**_STACK, "propertyDependencies": {"a": ["u:x"]}}], "refers to u:x", id="property dependency"),
        pytest.param([{**_STACK, "deletedWith": "u:x"}], "refers to u:x", id="deleted with"),
        pytest.param([{**_STACK, "replaceWith": ["u:x"]}], "refers to u:x", id="replaced with"),
    ],
)
def test_a_state_that_was_edited_by_hand_has(resources: list[dict[str, Any]], said: str) -> None:
    """One fault, and it names both."""
    (fault,) = faults({"resources": resources})

    assert said in fault
