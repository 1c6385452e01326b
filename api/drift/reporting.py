"""Tells staff of findings that cannot wait."""

from uuid import UUID

from sqlalchemy.orm import Session

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve
from api.drift.findings import Look, Outcome, differences_of, is_critical
from api.drift.models import DriftFinding, Severity

_MANY = 20
"""From so many on, one alert speaks for the whole node: it is the node that is in trouble."""


def report(session: Session, look: Look, outcome: Outcome) -> None:
    """Raise an alert for each finding that has just become critical, and end those of findings that were settled."""
    resolve(session, AlertKind.NODE_UNREACHABLE, look.node_id)
    if len(outcome.news) >= _MANY:
        message = f"{len(outcome.news)} workloads on node {look.node_name} have critical drift"
        raise_alert(session, AlertKind.DRIFT, "node", look.node_id, message)
    else:
        for finding in outcome.news:
            raise_alert(session, AlertKind.DRIFT, "finding", finding.id, _words(finding, look.node_name))
    if not any(map(is_critical, outcome.standing)):
        resolve(session, AlertKind.DRIFT, look.node_id)
    for finding in outcome.settled:
        if finding.severity is Severity.CRITICAL:
            resolve(session, AlertKind.DRIFT, finding.id)


def report_silence(session: Session, node_id: UUID, node_name: str, error: str) -> None:
    """Raise an alert for a node that could not be looked at."""
    raise_alert(session, AlertKind.NODE_UNREACHABLE, "node", node_id, f"{node_name}: {error}")


def _words(finding: DriftFinding, node: str) -> str:
    paths = ", ".join(f"{path.path}: {path.before} is {path.after}" for path in differences_of(finding))
    return f"workload {finding.workload_id} on node {node}: {finding.kind.value} ({paths})"
