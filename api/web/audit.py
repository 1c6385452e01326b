"""The audit trail: searched, and held against its own chain."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Select, String, cast, func, or_, select

from api.audit.models import AuditHead, AuditRecord
from api.audit.verify import verify
from api.errors import InvalidInput
from api.runtime import RuntimeDep, SessionDep
from api.web.flash import Flash
from api.web.navigation import page_of
from api.web.rendering import done, page
from api.web.visitor import Operator, Support

router = APIRouter()
_SIZE = 50
_LARGEST = 2**63 - 1
Text = Annotated[str, Query(max_length=120)]


@router.get("/admin/audit")
def list_records(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request,
    visitor: Support,
    session: SessionDep,
    action: Text = "",
    actor: Text = "",
    subject: Text = "",
    since: Text = "",
    until: Text = "",
    before: Annotated[int, Query(ge=0, le=_LARGEST)] = _LARGEST,
) -> Response:
    """Search the trail, the newest record first."""
    query = _filtered(action.strip(), actor.strip(), subject.strip()).where(AuditRecord.seq < before)
    if since:
        query = query.where(AuditRecord.at >= _midnight("since", since))
    if until:
        query = query.where(AuditRecord.at < _midnight("until", until) + timedelta(days=1))
    rows = session.scalars(query.order_by(AuditRecord.seq.desc()).limit(_SIZE + 1)).all()
    chosen = {"action": action, "actor": actor, "subject": subject, "since": since, "until": until}
    head, last = session.execute(
        select(select(AuditHead.seq).scalar_subquery(), select(func.max(AuditRecord.seq)).scalar_subquery())
    ).one()
    return page(
        request,
        visitor,
        "audit.html",
        rows=rows[:_SIZE],
        links={row.seq: page_of(row.subject_type, row.subject_id) for row in rows},
        next_url=_next_url(chosen, rows[_SIZE - 1].seq) if len(rows) > _SIZE else None,
        is_first=before == _LARGEST,
        head=head,
        last=last,
        chosen=chosen,
    )


@router.post("/admin/audit/verify")
def verify_trail(visitor: Operator, runtime: RuntimeDep) -> Response:
    """Walk the whole chain; the time grows with its length."""
    report = verify(runtime.database)
    if report.is_whole:
        said = Flash("good", f"The chain is whole: {report.records} records, head {report.head}.")
    else:
        first = "; ".join(flaw.what for flaw in report.flaws[:3])
        said = Flash("bad", f"The chain is broken in {report.count} places: {first}.")
    return done(runtime, visitor, "/admin/audit", said)


def _filtered(action: str, actor: str, subject: str) -> Select[Any]:
    query = select(AuditRecord)
    if action:
        query = query.where(AuditRecord.action.startswith(action, autoescape=True))
    if actor:
        is_id = cast(AuditRecord.actor_id, String) == actor
        query = query.where(or_(AuditRecord.actor_name.icontains(actor, autoescape=True), is_id))
    if subject:
        query = query.where(or_(AuditRecord.subject_id == subject, AuditRecord.subject_type == subject))
    return query


def _next_url(chosen: dict[str, str], last: int) -> str:
    kept = {name: value for name, value in chosen.items() if value}
    return f"/admin/audit?{urlencode({**kept, 'before': str(last)})}"


def _midnight(field: str, day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(), UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{field}: write a day as 2030-01-31") from None
