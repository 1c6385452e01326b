"""What is known of platform stacks: reported by themselves, or asked for by a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from api.inventory.platform_models import PlatformStack
from api.platform.models import PlatformRun
from components.specs.platform import PlatformKind, parse_platform_stack


@dataclass(frozen=True, slots=True)
class KnownStack:
    """A stack of ours.

    Attributes:
        kind: None if its name is of no kind that this release knows.
        spec: its last configuration.
        reported_at: when it told Inventory what it made; None if it never has.
        last_run: the newest, or None: it was only ever run at a terminal.
    """

    name: str
    kind: PlatformKind | None
    spec: Mapping[str, Any]
    reported_at: datetime | None
    last_run: PlatformRun | None


def known_stacks(session: Session) -> list[KnownStack]:
    """Return all stacks that have reported or been run, in the order in which an estate is raised. Two queries."""
    reported = {row.stack: row for row in session.scalars(select(PlatformStack))}
    newest = select(PlatformRun).ext(distinct_on(PlatformRun.stack))
    newest = newest.order_by(PlatformRun.stack, PlatformRun.id.desc())
    runs = {run.stack: run for run in session.scalars(newest)}
    stacks = [_known(name, reported.get(name), runs.get(name)) for name in reported.keys() | runs.keys()]
    order = list(PlatformKind)
    return sorted(stacks, key=lambda one: (_estate(one), order.index(one.kind) if one.kind else len(order), one.name))


def known_stack(session: Session, stack: str) -> KnownStack | None:
    """Return one stack, None if nothing is known of it."""
    report = session.scalars(select(PlatformStack).where(PlatformStack.stack == stack)).one_or_none()
    query = select(PlatformRun).where(PlatformRun.stack == stack).order_by(PlatformRun.id.desc()).limit(1)
    run = session.scalars(query).one_or_none()
    return None if report is None and run is None else _known(stack, report, run)


def known_spec(session: Session, stack: str) -> Mapping[str, Any] | None:
    """Return a stack's configuration: as it last reported it, else as it was last asked for; None if never."""
    found = known_stack(session, stack)
    return None if found is None else found.spec


def _known(name: str, report: PlatformStack | None, run: PlatformRun | None) -> KnownStack:
    named = parse_platform_stack(name)
    spec = report.spec if report is not None and report.spec else run.spec if run is not None else {}
    return KnownStack(name, named[1] if named else None, spec, report.reported_at if report else None, run)


def _estate(stack: KnownStack) -> str:
    named = parse_platform_stack(stack.name)
    return named[0] if named else stack.name
