"""From the engine's event log to sentences."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from automation.engine.events import Narrator, RunSummary, noun
from automation.engine.scrub import Scrubber

VM = "proxmoxve:index/vmLegacy:VmLegacy"


def step(event: str, /, op: str = "create", kind: str = VM, *, planning: bool = False, **inputs: Any) -> dict[str, Any]:
    """Return an event of one step, as the CLI writes it."""
    state = {"custom": True, "inputs": inputs, "outputs": {"password": "never shown"}}
    metadata = {"op": op, "urn": f"urn:pulumi:w-1::slipway::{kind}::workload", "type": kind, "new": state, "old": None}
    return {event: {"metadata": metadata, "planning": planning}}


def narrator(*secrets: str) -> Narrator:
    """Return a narrator whose clock advances by a second at each look."""
    ticks = count()
    return Narrator(Scrubber(secrets), lambda: float(next(ticks)))


def sentences(*events: Mapping[str, Any]) -> list[str]:
    """Return what a customer reads of some events."""
    teller = narrator()
    return [told.message for event in events if (told := teller.tell(event)) is not None]


def test_a_step_is_told_when_it_begins_and_when_it_is_done() -> None:
    """With the guest's own name and the time it took."""
    assert sentences(step("resourcePreEvent", name="web-1"), step("resOutputsEvent", name="web-1")) == [
        "Creating virtual machine web-1",
        "Created virtual machine web-1 (1.0 s)",
    ]


def test_a_failed_step_is_told() -> None:
    """Before the reason, which comes as a diagnostic."""
    assert sentences(step("resourcePreEvent", name="web-1"), step("resOpFailedEvent", name="web-1"))[-1] == (
        "Creating virtual machine web-1 failed"
    )


def test_a_preview_says_what_would_be_done_once() -> None:
    """The end of a planned step is no news."""
    events = [step(name, planning=True, name="web-1") for name in ("resourcePreEvent", "resOutputsEvent")]

    assert sentences(*events) == ["Would create virtual machine web-1"]


@pytest.mark.parametrize(
    ("op", "sentence"),
    [("update", "Changing"), ("delete", "Removing"), ("replace", "Replacing"), ("import", "Adopting")],
)
def test_every_operation_has_its_verb(op: str, sentence: str) -> None:
    """In words that a customer uses."""
    assert sentences(step("resourcePreEvent", op, name="web-1")) == [f"{sentence} virtual machine web-1"]


@pytest.mark.parametrize(
    ("kind", "op", "sentence"),
    [
        ("MachineClaim", "create", "Claiming machine dl-1"),
        ("Installation", "create", "Installing machine dl-1"),
        ("Installation", "update", "Changing installation of machine dl-1"),
        ("Installation", "delete", "Switching off machine dl-1"),
        ("BootProfile", "delete", "Removing boot profile of machine dl-1"),
        ("Wipe", "create", "Scheduling the last wipe of dl-1"),
        ("Wipe", "delete", "Wiping machine dl-1"),
    ],
)
def test_a_machine_of_ones_own_has_words_of_its_own(kind: str, op: str, sentence: str) -> None:
    """Nobody removes a wipe."""
    event = step("resourcePreEvent", op, f"pulumi-python:dynamic/slipway:{kind}", name="dl-1")
    assert sentences(event) == [sentence]


@pytest.mark.parametrize(
    "event",
    [
        step("resourcePreEvent", "same", name="web-1"),
        step("resourcePreEvent", kind="pulumi:providers:proxmoxve"),
        step("resourcePreEvent", kind="pulumi:pulumi:Stack"),
        {"preludeEvent": {"config": {}}},
        {"diagnosticEvent": {"severity": "info", "message": "hello"}},
        {"diagnosticEvent": {"severity": "warning", "message": "using pulumi-resource-x from $PATH at /usr/bin"}},
    ],
)
def test_what_nobody_needs_to_know_is_not_told(event: Mapping[str, Any]) -> None:
    """Unchanged resources, providers, the stack itself, the engine's chatter."""
    assert sentences(event) == []


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("proxmoxve:index/containerLegacy:ContainerLegacy", "container"),
        ("cloudflare:index/dnsRecord:DnsRecord", "DNS record"),
        ("proxmoxve:firewall/rulesLegacy:RulesLegacy", "firewall rules"),
        ("hcloud:index/serverNetwork:ServerNetwork", "server network"),
    ],
)
def test_types_have_names(kind: str, word: str) -> None:
    """Ours are chosen, others are spelled out."""
    assert noun(kind) == word


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"name": "web-1"}, "web-1"),
        ({"initialization": {"hostname": "mc-1"}}, "mc-1"),
        ({"name": "evil\nname"}, ""),
        ({}, ""),
    ],
)
def test_a_resource_is_called_by_its_own_name(inputs: dict[str, Any], name: str) -> None:
    """One line of harmless characters, or none."""
    assert sentences(step("resourcePreEvent", **inputs)) == [f"Creating virtual machine {name}".rstrip()]


def test_an_error_is_a_sentence_and_its_words_are_for_operators() -> None:
    """The customer reads ours; code and the scrubbed original go along as data."""
    told = narrator("hunter22").tell(
        {"diagnosticEvent": {"severity": "error", "message": "<{%fg 1%}>VM is locked (clone) hunter22<{%reset%}>"}}
    )

    assert told is not None
    assert (told.kind, told.data["code"]) == ("diagnostic", "proxmox_locked")
    assert told.data["detail"] == "VM is locked (clone) [secret]"
    assert "locked (clone)" not in told.message


def test_nothing_of_a_resources_state_but_its_name_leaves() -> None:
    """Neither inputs nor outputs are in the event."""
    told = narrator().tell(step("resOutputsEvent", name="web-1", token="hunter2hunter2"))

    assert told is not None
    assert "hunter2" not in repr(told)
    assert "never shown" not in repr(told)


def test_events_are_numbered_and_ours_are_among_them() -> None:
    """The numbers count what is told, not what the engine wrote."""
    teller = narrator()
    remark = {"remark": {"message": "Going on where an earlier attempt ended", "data": {}}}
    summary = {"summaryEvent": {"resourceChanges": {"create": 2, "same": 1}, "durationSeconds": 3}}

    events: list[Mapping[str, Any]] = [remark, {"preludeEvent": {}}, summary]
    told = [teller.tell(event) for event in events]

    assert [(event.sequence, event.kind) for event in told if event] == [(1, "engine"), (2, "summary")]
    assert told[-1] is not None
    assert told[-1].message == "Finished: create 2"


def test_the_summary_has_outputs_changes_and_reasons() -> None:
    """All that three more CLI processes would have been asked for."""
    stack = step("resOutputsEvent", kind="pulumi:pulumi:Stack")
    stack["resOutputsEvent"]["metadata"]["new"]["outputs"] = {"vmid": 201}
    summary = RunSummary()

    events: list[Mapping[str, Any]] = [
        step("resOutputsEvent", name="web-1"),
        stack,
        step("resOpFailedEvent", name="web-1"),
        {"diagnosticEvent": {"severity": "error", "message": "<{%reset%}>boom"}},
        {"summaryEvent": {"resourceChanges": {"create": 2}}},
    ]
    for event in events:
        summary.feed(event)

    assert (summary.outputs, summary.changes, summary.diagnostics) == ({"vmid": 201}, {"create": 2}, ["boom"])
    assert [failed["type"] for failed in summary.failed] == [VM]
