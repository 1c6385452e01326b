"""What a checkpoint says, from documents alone."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.state.checkpoint import meaning, read_checkpoint, write_checkpoint
from api.state.errors import StateCorrupt

_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _resource(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:w::slipway::t::{name}", "type": "t", "custom": True, **fields}


def _row(latest: Any, version: int = 3) -> dict[str, str]:
    return write_checkpoint({"version": version, "checkpoint": {"stack": "organization/slipway/w", "latest": latest}})


def _encoded(text: str) -> dict[str, str]:
    return {"data": base64.b64encode(text.encode()).decode()}


def _outcome(row: Any) -> type:
    try:
        return type(read_checkpoint("w", row))
    except StateCorrupt as error:
        return type(error)


def test_what_was_written_is_read() -> None:
    """Writing and reading are each other's opposite."""
    latest = {"resources": [_resource(id="7")], "pending_operations": []}

    assert read_checkpoint("w", _row(latest)) == latest


def test_a_stack_that_was_never_brought_up_is_empty() -> None:
    """The CLI writes no deployment at all when it makes a stack."""
    assert read_checkpoint("w", write_checkpoint({"version": 3, "checkpoint": {"stack": "w"}})) == {}


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="no object"),
        pytest.param([], id="a list"),
        pytest.param({}, id="no data"),
        pytest.param({"data": "%%%"}, id="no base64"),
        pytest.param({"data": ""}, id="empty"),
        pytest.param(_encoded('{"version": 3, "checkpoint": {"lat'), id="cut off"),
        pytest.param(_encoded("[" * 100_000), id="nested without end"),
        pytest.param(_encoded("[]"), id="no document"),
        pytest.param(_encoded('{"version": 3}'), id="no checkpoint"),
        pytest.param(_row({}, version=5), id="a version of the future"),
        pytest.param(_row([1]), id="no deployment"),
        pytest.param(_row({"resources": [{"urn": "u"}]}), id="a resource without a type"),
        pytest.param(_row({"resources": {"urn": "u"}}), id="resources that are no list"),
        pytest.param(_row({"pending_operations": [{"type": "creating"}]}), id="an operation without a resource"),
    ],
)
def test_what_is_no_whole_checkpoint_is_corrupt(stored: Any) -> None:
    """The error names the stack; it is never taken for an empty one."""
    with pytest.raises(StateCorrupt, match="state of stack w cannot be read"):
        read_checkpoint("w", stored)


@given(st.dictionaries(st.sampled_from(["data", "x"]), _JSON), _JSON)
def test_nothing_but_that_error_is_raised(stored: dict[str, Any], content: Any) -> None:
    """Whatever a hand or a broken disk has put there."""
    outcomes = {_outcome(row) for row in (stored, _encoded(json.dumps(content)), _row(content))}

    assert outcomes <= {dict, StateCorrupt}


def test_times_orders_and_ciphertexts_mean_nothing() -> None:
    """They change with an operation that changes nothing."""
    one = {
        "resources": [
            _resource("a", modified="1", inputs={"x": {**_SECRET, "ciphertext": "v1:1"}}, dependencies=["p", "q"]),
            _resource("b"),
        ],
        "manifest": {"time": "1"},
    }
    other = {
        "resources": [
            _resource("b", outputs={}, sourcePosition="here"),
            _resource("a", dependencies=["q", "p"], inputs={"x": {"ciphertext": "v1:2", **_SECRET}}, modified="2"),
        ],
        "pending_operations": [],
        "manifest": {"time": "2"},
    }

    assert meaning(one) == meaning(other)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "8"},
        {"inputs": {"x": 2}},
        {"inputs": {"x": 1, "y": _SECRET}},
        {"outputs": {"x": None}},
        {"protect": True},
        {"delete": True},
        {"parent": "urn:other"},
        {"provider": "other"},
        {"dependencies": ["p"]},
        {"propertyDependencies": {"x": ["p"]}},
        {"initErrors": ["it did not start"]},
    ],
)
def test_every_other_difference_means_something(changes: dict[str, Any]) -> None:
    """The engine would do something else."""
    before = _resource(id="7", inputs={"x": 1})

    assert meaning({"resources": [before]}) != meaning({"resources": [before | changes]})


def test_a_pending_operation_is_no_resource() -> None:
    """An interrupted create is not a finished one, and not an interrupted delete."""
    pending = [{"type": kind, "resource": _resource()} for kind in ("creating", "deleting")]

    digests = {
        meaning({}),
        meaning({"resources": [_resource()]}),
        *(meaning({"pending_operations": [operation]}) for operation in pending),
    }

    assert len(digests) == 4
