"""Label selectors, as the public description writes them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from lab.hcloud.errors import ApiError
from lab.hcloud.labels import Labels, matches

LABELS = {"env": "prod", "slipway.example/owner": "op-1", "empty": ""}


@pytest.mark.parametrize(
    "selector",
    [
        "env",
        "!missing",
        "env=prod",
        "env==prod",
        "env != test",
        "missing!=test",
        "env in (prod, test)",
        "env notin (test)",
        "missing notin (test)",
        "slipway.example/owner=op-1",
        "env=prod,!missing,env in (a,prod)",
        "empty=",
    ],
)
def test_a_selector_that_holds(selector: str) -> None:
    """All of its conditions are met."""
    assert matches(selector, LABELS)


@pytest.mark.parametrize(
    "selector", ["missing", "!env", "env=test", "env!=prod", "env in (test)", "env notin (prod)", "env,missing"]
)
def test_a_selector_that_does_not_hold(selector: str) -> None:
    """One of its conditions is not met."""
    assert not matches(selector, LABELS)


@pytest.mark.parametrize("selector", ["env>1", "a b", "=x", "env in prod", ","])
def test_a_selector_that_cannot_be_read_is_refused(selector: str) -> None:
    """Never taken for one that holds for all."""
    with pytest.raises(ApiError) as caught:
        matches(selector, LABELS)
    assert caught.value.code == "invalid_input"


@pytest.mark.parametrize(
    "labels", [{"": "x"}, {"-a": "x"}, {"a" * 64: ""}, {"a": "x y"}, {"a": "x" * 64}, {"a/b/c": ""}]
)
def test_labels_that_cannot_be_are_refused(labels: dict[str, str]) -> None:
    """By the rules for keys and values."""
    with pytest.raises(ValidationError, match="label"):
        TypeAdapter(Labels).validate_python(labels)
