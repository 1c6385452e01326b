"""From a preview's event log to the steps of a plan."""

from collections.abc import Mapping
from typing import Any

import pytest

from automation.engine.scrub import MASK, Scrubber
from automation.engine.steps import PreviewLog

VM = "proxmoxve:index/vmLegacy:VmLegacy"
URN = f"urn:pulumi:w-1::slipway::slipway:compute:CloudVm${VM}::workload"
KNOWN = "a-known-secret-value"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtTqnKxSZ3GgdNq0aFvOXTkmK0mp4nB1ZAoYTlSYkdF ada@example"


def begun(op: str, *, urn: str = URN, planning: bool = True, **metadata: Any) -> dict[str, Any]:
    """Return the event of one step, as the CLI writes it."""
    kind = urn.split("::")[2].rpartition("$")[2]
    document = {"op": op, "urn": urn, "type": kind, "new": None, "old": None, **metadata}
    return {"resourcePreEvent": {"metadata": document, "planning": planning}}


def seen(op: str, **metadata: Any) -> dict[str, Any]:
    """Return the event of a step that has ended."""
    return {"resOutputsEvent": begun(op, **metadata)["resourcePreEvent"]}


def state(inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a resource's state."""
    return {"custom": True, "inputs": dict(inputs), "outputs": dict(inputs if outputs is None else outputs)}


def steps(*events: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return what a preview with these events plans."""
    log = PreviewLog()
    for event in events:
        log.feed(event)
    return log.steps(Scrubber([KNOWN]))


def only(*events: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one step of these events."""
    (step,) = steps(*events)
    return step


@pytest.mark.parametrize(
    ("ops", "op"),
    [
        (("create",), "create"),
        (("same",), "same"),
        (("delete",), "delete"),
        (("read",), "same"),
        (("import",), "update"),
        (("create-replacement", "replace", "delete-replaced"), "replace"),
        (("delete-replaced", "replace", "create-replacement"), "replace"),
        (("same", "delete-replaced"), "replace"),
        (("delete", "create"), "replace"),
    ],
)
def test_a_resource_has_one_step(ops: tuple[str, ...], op: str) -> None:
    """The parts of a replacement are one, in whatever order the engine begins them."""
    sides: dict[str, dict[str, Any]] = {"create": {"new": state({})}, "delete": {"old": state({})}}
    both = {"new": state({}), "old": state({})}

    assert only(*(begun(each, **sides.get(each, both)) for each in ops))["op"] == op


def test_only_what_is_outside_counts() -> None:
    """Components, providers and the stack touch nothing; what is not a preview plans nothing."""
    component = {"custom": False, "inputs": {}, "outputs": {}}
    stack, provider = "urn:pulumi:w::s::pulumi:pulumi:Stack::s-w", "urn:pulumi:w::s::pulumi:providers:proxmoxve::d"

    assert not steps(
        begun("create", urn="urn:pulumi:w::s::slipway:compute:CloudVm::workload", new=component),
        begun("create", urn=stack, new=component),
        begun("create", urn=provider, new=state({})),
        begun("create", planning=False, new=state({})),
        begun("refresh", old=state({})),
        {"diagnosticEvent": {"message": "hello", "severity": "info"}},
    )


def test_the_order_does_not_depend_on_the_engines() -> None:
    """Parts come after what they are parts of, else by name: two previews of one plan have one hash."""
    record = "urn:pulumi:w-1::slipway::slipway:compute:CloudVm$slipway:network:DnsRecords$cloudflare:x:DnsRecord::{}"
    events = [begun("create", urn=urn, new=state({})) for urn in (record.format("b"), URN, record.format("a"))]

    assert [step["urn"] for step in steps(*events)] == [URN, record.format("a"), record.format("b")]
    assert steps(*events) == steps(*reversed(events))


def test_changes_follow_the_providers_own_difference() -> None:
    """Nested paths, list items and quoted names are looked up on both sides."""
    old = state({"cpu": {"cores": 2}, "disks": [{"size": 20}], "labels": {"a.b": "x"}, "tags": ["old"]})
    new = state({"cpu": {"cores": 4}, "disks": [{"size": 40}], "labels": {"a.b": "y"}, "name": "web"})
    detailed = {
        "cpu.cores": {"diffKind": "update", "inputDiff": False},
        "disks[0].size": {"diffKind": "update-replace", "inputDiff": True},
        'labels["a.b"]': {"diffKind": "update"},
        "name": {"diffKind": "add"},
        "tags[0]": {"diffKind": "delete"},
    }

    step = only(begun("update", old=old, new=new, detailedDiff=detailed))

    assert [(each["path"], each["kind"], each["before"], each["after"]) for each in step["changes"]] == [
        ("cpu.cores", "changed", 2, 4),
        ("disks[0].size", "changed", 20, 40),
        ('labels["a.b"]', "changed", "x", "y"),
        ("name", "added", None, "web"),
        ("tags[0]", "removed", "old", None),
    ]


def test_without_the_providers_difference_the_inputs_are_compared() -> None:
    """And where the same was asked for before, what is there is compared with it."""
    old = state({"a": {"b": [1, 2]}, "gone": True, "ignored": 1})
    new = state({"a": {"b": [1, 3]}, "come": "x", "ignored": 2})
    drifted = state({"a": 1}, {"a": 2, "computed": 3})

    compared = only(begun("update", old=old, new=new, diffs=["a", "gone", "come"]))["changes"]
    found = only(begun("update", old=drifted, new=state({"a": 1})))["changes"]

    assert [(each["path"], each["kind"]) for each in compared] == [
        ("a.b[1]", "changed"),
        ("come", "added"),
        ("gone", "removed"),
    ]
    assert found == [{"path": "a", "kind": "changed", "before": 2, "after": 1}]


def test_no_secret_leaves() -> None:
    """Neither a known one, nor one by its name, nor what looks like one; a public key and a zone's id are none."""
    inputs = {
        "note": f"see {KNOWN}",
        "rootPassword": "hunter2",
        "environmentVariables": {"RCON_PASSWORD": "tomato", "EULA": "true", "API_TOKENS": ["x", "y"]},
        "pairs": [{"name": "BOT_TOKEN", "value": "abc"}, {"name": "LEVEL", "value": "world"}],
        "opaque": "0123456789abcdef0123456789abcdef",
        "zoneId": "0123456789abcdef0123456789abcdef",
        "userAccount": {"keys": [SSH_KEY]},
        "sealed": "[secret]",
        "nothing": None,
        "__defaults": ["note"],
    }
    detailed = {path: {"diffKind": "update"} for path in ("rootPassword", "userAccount.keys[0]", "opaque")}

    step = only(begun("update", old=state(inputs), new=state(inputs), detailedDiff=detailed))

    assert step["inputs"] == {
        "note": f"see {MASK}",
        "rootPassword": MASK,
        "environmentVariables": {"RCON_PASSWORD": MASK, "EULA": "true", "API_TOKENS": MASK},
        "pairs": [{"name": "BOT_TOKEN", "value": MASK}, {"name": "LEVEL", "value": "world"}],
        "opaque": MASK,
        "zoneId": inputs["zoneId"],
        "userAccount": {"keys": [SSH_KEY]},
        "sealed": "[secret]",
    }
    told = {each["path"]: each["after"] for each in step["changes"]}
    assert told == {"rootPassword": MASK, "opaque": MASK, "userAccount.keys[0]": SSH_KEY}


def test_what_only_the_work_will_tell_is_said_to_be_known_later() -> None:
    """The engine's own word for it tells nobody anything."""
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

    assert only(begun("create", new=state({"address": unknown})))["inputs"] == {"address": "[known later]"}


def test_what_is_long_is_cut_and_still_told_apart() -> None:
    """A row has bounds; two plans that differ beyond them have different steps all the same."""
    one, other = ({"script": "x " * 9000 + end, "many": [*range(500), end]} for end in ("a", "b"))
    many = {f"p{number}": {"diffKind": "update"} for number in range(500)}

    cut = [only(begun("create", new=state(inputs)))["inputs"] for inputs in (one, other)]
    changed = only(begun("update", old=state({}), new=state({}), detailedDiff=many))["changes"]

    assert cut[0] != cut[1]
    assert all(len(inputs["script"]) < 600 and len(inputs["many"]) == 65 for inputs in cut)
    assert (len(changed), changed[-1]["path"]) == (101, "(400 more)")


def test_what_is_nested_too_deep_is_cut() -> None:
    """No state can make the reader run out of stack or the row out of space."""
    value: Any = "bottom"
    for _ in range(40):
        value = {"x": value}

    told = str(only(begun("create", new=state({"deep": value})))["inputs"])

    assert "bottom" not in told
    assert "sha256" in told


def test_a_look_tells_what_has_changed_behind_the_states_back() -> None:
    """As the step that would bring the state there; the plan itself does not contain it."""
    gone = URN.replace("workload", "gone")
    log = PreviewLog()
    for event in (
        begun("refresh", old=state({"a": 1})),
        seen("update", old=state({"a": 1}, {"a": 1, "b": 1}), new=state({"a": 2}, {"a": 2, "b": 1})),
        begun("refresh", urn=gone, old=state({})),
        seen("delete", urn=gone, old=state({})),
        begun("refresh", urn=URN + "2", old=state({})),
        seen("same", urn=URN + "2", old=state({}), new=state({})),
    ):
        log.feed(event)

    found = {step["urn"]: (step["op"], step["changes"]) for step in log.findings(Scrubber())}

    assert log.steps(Scrubber()) == ()
    assert found == {
        URN: ("update", [{"path": "a", "kind": "changed", "before": 1, "after": 2}]),
        gone: ("delete", []),
        URN + "2": ("same", []),
    }
