"""What happened, as a table and as JSON."""

import json
import os
import platform
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from automation.cli.output import table


@dataclass
class ChaosReport:
    """The outcome of one run.

    Attributes:
        injected: faults that met something, by kind.
        missed: faults that found nothing to harm, by kind.
        operations: how many ended how; ``apply succeeded``.
        recovered: attempts that found another's engine, alive or dead.
        unsettled: what had not come to an end when patience did.
        violations: what was broken at any look, each once.
        violations_left: what was still broken in the end.
    """

    seed: int
    minutes: float
    injected: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    operations: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    workloads: dict[str, int] = field(default_factory=dict)
    recovered: int = 0
    settled_after_seconds: float = 0.0
    unsettled: list[str] = field(default_factory=list)
    checks: int = 0
    blind_checks: int = 0
    violations: list[str] = field(default_factory=list)
    violations_left: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether nothing was broken and everything came to an end."""
        return not self.violations and not self.unsettled

    def print(self, console: Console) -> None:
        """Show it."""
        made = table("WHAT", "", "NUMBER")
        for heading, counts in (
            ("fault", self.injected),
            ("fault that met nothing", self.missed),
            ("asked for", self.asked),
            ("asked for in vain", self.refused),
            ("operation", self.operations),
            ("order", self.orders),
            ("workload", self.workloads),
        ):
            for name, number in sorted(counts.items()):
                made.add_row(heading, name, str(number))
        made.add_row("attempts that took over from a lost one", "", str(self.recovered))
        made.add_row("looks at the invariants", "", f"{self.checks} (and {self.blind_checks} that could not be taken)")
        made.add_row("faults injected", "", str(self.injected.total()))
        made.add_row("violations", "", str(len(self.violations)))
        console.print(made)
        for line in [*self.violations, *(f"in the end: {line}" for line in self.violations_left), *self.unsettled]:
            console.print(f"  {line}", style="red", markup=False)

    def write(self, path: Path) -> None:
        """Write it with the machine and the time."""
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
            **vars(self),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
