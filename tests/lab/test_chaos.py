"""Chaos' own parts: what is injected when, what is reported, what its watch believes."""

import io
import itertools
import json
import random
import sys
from collections import Counter
from pathlib import Path

import psutil
from rich.console import Console

from lab.chaos.__main__ import in_turn
from lab.chaos.faults import FAULTS
from lab.chaos.report import ChaosReport
from lab.chaos.rig import engine_stack


def _seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a seed that can be repeated is the point


def test_every_kind_of_fault_comes_once_before_any_comes_again() -> None:
    """A short run is as mixed as a long one."""
    names = list(itertools.islice(in_turn(_seeded(7)), 2 * len(FAULTS)))
    assert sorted(names[: len(FAULTS)]) == sorted(names[len(FAULTS) :]) == sorted(FAULTS)
    assert names[: len(FAULTS)] != names[len(FAULTS) :]


def test_a_seed_repeats_the_faults() -> None:
    """Their order comes from the seed alone."""
    first, second = (list(itertools.islice(in_turn(_seeded(5)), 30)) for _ in range(2))
    assert first == second


def test_a_run_is_well_if_nothing_was_broken_and_all_has_ended() -> None:
    """One violation at any look, or one operation that never ends, is a failure."""
    assert ChaosReport(1, 5.0).is_well
    assert not ChaosReport(1, 5.0, violations=["I1 order: lost"]).is_well
    assert not ChaosReport(1, 5.0, unsettled=["operation: apply running"]).is_well


def test_a_report_is_a_table_and_a_document(tmp_path: Path) -> None:
    """Both say the same numbers; a violation is printed as it is, markup or not."""
    report = ChaosReport(3, 1.0, injected=Counter({"Redis flushed": 2}), violations=["I8 w-1: [locked]"])
    console = Console(record=True, width=120, file=io.StringIO())
    report.print(console)
    shown = console.export_text()
    assert "Redis flushed" in shown
    assert "I8 w-1: [locked]" in shown
    report.write(tmp_path / "build" / "chaos.json")
    document = json.loads((tmp_path / "build" / "chaos.json").read_text())
    assert (document["seed"], document["injected"], document["violations"]) == (
        3,
        {"Redis flushed": 2},
        ["I8 w-1: [locked]"],
    )


def test_an_engine_is_known_by_its_command_line() -> None:
    """A Pulumi CLI that changes a stack counts; one that looks, and any other program, does not."""
    assert engine_stack(["/x/pulumi", "up", "--stack", "organization/slipway/w-1", "--yes"]) == "w-1"
    assert engine_stack(["/x/pulumi", "destroy", "--stack", "w-2"]) == "w-2"
    assert engine_stack(["/x/pulumi", "preview", "--stack", "w-2"]) is None
    assert engine_stack(["/x/pulumi", "refresh", "--preview-only", "--stack", "w-2"]) is None
    assert engine_stack([sys.executable, "up", "--stack", "w-2"]) is None
    assert engine_stack(psutil.Process().cmdline()) is None
