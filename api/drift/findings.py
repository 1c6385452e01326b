"""Brings the findings in the database in line with one look at one node: a few statements, however many guests."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.drift.compare import EXISTENCE
from api.drift.expectations import Expectations, State
from api.drift.facts import Difference, Expected, Suspicion
from api.drift.ignoring import IgnoreRule, is_ignored
from api.drift.models import DriftFinding, DriftIgnore, DriftKind, FindingStatus, Resolution, Severity
from api.drift.severity import severity_of
from api.workloads.models import Workload

_DNS = "dns."


@dataclass(frozen=True, slots=True)
class Look:
    """What one scan of one node has seen.

    Attributes:
        since: when the look began, by the database's clock.
        compared: the workloads that were looked for.
        has_records: whether the zones' records were known.
    """

    node_id: UUID
    node_name: str
    since: datetime
    compared: Collection[Expected]
    suspicions: Sequence[Suspicion]
    has_records: bool


@dataclass(slots=True)
class Outcome:
    """What became of the findings: those that stand, those that were settled.

    Attributes:
        news: those of the standing ones that have just become critical.
    """

    standing: list[DriftFinding] = field(default_factory=list)
    news: list[DriftFinding] = field(default_factory=list)
    settled: list[DriftFinding] = field(default_factory=list)


class Findings:
    """Writes findings; the caller's transaction is short and follows all network calls."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def apply(self, look: Look) -> Outcome:
        """Write what a look has found, and resolve what it has not found again.

        A workload is left alone if an operation is at work on it, or has ended since the look began.
        """
        live = {(row.workload_id, row.kind): row for row in self._live(look.node_id)}
        suspicions = [_with_what_was_not_looked_at(one, live, look) for one in look.suspicions]
        ids = {one.workload_id for one in suspicions} | {workload_id for workload_id, _ in live}
        if not ids:
            return Outcome()
        states = Expectations(self._session).states(ids, look.since)
        rules, now = self._rules(), self._session.execute(select(func.now())).scalar_one()
        outcome = Outcome()
        for one in suspicions:
            finding = live.pop((one.workload_id, one.kind), None)
            if states[one.workload_id].is_settled:
                was_critical = finding is not None and is_critical(finding)
                finding = self._sight(finding, one, rules, now)
                outcome.standing.append(finding)
                if is_critical(finding) and not was_critical:
                    outcome.news.append(finding)
        judged = _judged_kinds(look)
        for finding in live.values():
            resolution = _resolution(finding, states[finding.workload_id], judged, look)
            if resolution is not None:
                finding.status, finding.resolution, finding.resolved_at = FindingStatus.RESOLVED, resolution, now
                outcome.settled.append(finding)
        self._session.flush()
        return outcome

    def _live(self, node_id: UUID) -> Sequence[DriftFinding]:
        return self._session.scalars(
            select(DriftFinding)
            .join(Workload, Workload.id == DriftFinding.workload_id)
            .where(
                DriftFinding.status != FindingStatus.RESOLVED,
                or_(Workload.node_id == node_id, DriftFinding.kind == DriftKind.UNEXPECTED),
            )
            .order_by(DriftFinding.id)
            .with_for_update(of=DriftFinding)
        ).all()

    def _rules(self) -> list[IgnoreRule]:
        holds = or_(DriftIgnore.until.is_(None), DriftIgnore.until > func.now())
        query = select(DriftIgnore.workload_id, DriftIgnore.kind, DriftIgnore.path_pattern).where(holds)
        return [IgnoreRule(*row) for row in self._session.execute(query)]

    def _sight(
        self, finding: DriftFinding | None, seen: Suspicion, rules: Iterable[IgnoreRule], now: datetime
    ) -> DriftFinding:
        if finding is None:
            finding = DriftFinding(
                id=uuid7(), workload_id=seen.workload_id, kind=seen.kind, first_seen=now, sightings=0, examinations=0
            )
            self._session.add(finding)
        documents = [difference.document() for difference in seen.paths]
        if finding.paths != documents:
            finding.paths, finding.steps, finding.examined_at = documents, None, None
        finding.sightings += 1
        finding.last_seen = now
        known = (*seen.paths, *step_differences(finding.steps or ()))
        finding.severity = severity_of(seen.kind, known, finding.sightings)
        ignored = is_ignored(rules, seen.workload_id, seen.kind, seen.paths)
        # One that was being repaired and is still there: the repair has not helped.
        finding.status = FindingStatus.IGNORED if ignored else FindingStatus.OPEN
        finding.resolution = None
        return finding


def is_critical(finding: DriftFinding) -> bool:
    """Tell whether somebody has to look at a finding now."""
    return finding.severity is Severity.CRITICAL and finding.status is FindingStatus.OPEN


def differences_of(finding: DriftFinding) -> tuple[Difference, ...]:
    """Read a finding's differences."""
    return tuple(Difference(**path) for path in finding.paths)


def step_differences(steps: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return what the engine's refreshing preview found changed, as ``VmLegacy.cpu.cores``."""
    return [
        Difference(f"{step['type'].rpartition(':')[2]}.{change['path']}", change.get("before"), change.get("after"))
        for step in steps
        for change in step.get("changes", ())
    ]


def copy_path(node: str, vmid: int) -> Difference:
    """Return how a finding names a second guest of one order."""
    return Difference("copies", None, f"{node}/{vmid}")


def _resolution(
    finding: DriftFinding, state: State, judged: Mapping[UUID, frozenset[DriftKind]], look: Look
) -> Resolution | None:
    """Say what settled a finding that was not seen again; None if the look cannot tell."""
    if not state.is_settled:
        return None
    if not state.is_wanted:
        return Resolution.OBSOLETE
    if finding.kind not in judged.get(finding.workload_id, frozenset()) and not _is_copy_here(finding, look):
        return None
    if _speaks_of_dns(finding) and not look.has_records:
        return None
    return finding.resolution or Resolution.HEALED


def _judged_kinds(look: Look) -> dict[UUID, frozenset[DriftKind]]:
    """Return the kinds of which the look can say that there is nothing."""
    judged = frozenset(DriftKind) - {DriftKind.UNEXPECTED}
    return {one.workload_id: judged if one.is_current else EXISTENCE for one in look.compared}


def _with_what_was_not_looked_at(
    one: Suspicion, live: dict[tuple[UUID, DriftKind], DriftFinding], look: Look
) -> Suspicion:
    """Keep the differences of an earlier look that this one could not see: copies elsewhere, unread records."""
    earlier = live.get((one.workload_id, one.kind))
    if earlier is None:
        return one
    if one.kind is DriftKind.UNEXPECTED:
        kept = [path for path in differences_of(earlier) if not _is_here(path, look)]
    elif look.has_records:
        return one
    else:
        kept = [path for path in differences_of(earlier) if path.path.startswith(_DNS)]
    return Suspicion(one.workload_id, one.kind, (*one.paths, *kept))


def _is_here(path: Difference, look: Look) -> bool:
    return str(path.after).startswith(f"{look.node_name}/")


def _is_copy_here(finding: DriftFinding, look: Look) -> bool:
    """Tell whether all copies that a finding names were on this node, where the look has seen none."""
    is_copy = finding.kind is DriftKind.UNEXPECTED
    return is_copy and all(_is_here(path, look) for path in differences_of(finding))


def _speaks_of_dns(finding: DriftFinding) -> bool:
    return any(path.path.startswith(_DNS) for path in differences_of(finding))
