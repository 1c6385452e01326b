"""Orphans: resources of ours that no row knows, and rows without a resource."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import false, select

from api.auth.models import User
from api.drift.models import OrphanKind, OrphanSighting, OrphanStatus
from api.drift.orphans import Orphans, orphan_of
from api.drift.removal import describe_removal, removal_refusal
from api.jobs import Job
from api.runtime import RuntimeDep, SessionDep, TransactionDep
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.operations import Choice
from api.web.paging import PlaceDep, cut
from api.web.rendering import done, page
from api.web.visitor import Operator, Support

router = APIRouter()
_LIVE = "live"
_UNDECIDED = (OrphanStatus.SEEN, OrphanStatus.CONFIRMED, OrphanStatus.REMOVING)


class RemovalForm(BaseModel):
    """Why something is removed."""

    reason: Reason


@router.get("/admin/orphans")
def list_orphans(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request, visitor: Support, session: SessionDep, place: PlaceDep, status: Choice = _LIVE, kind: Choice = ""
) -> Response:
    """List orphans, the newest first, each with what a removal would delete or why there is none."""
    query = select(OrphanSighting, User.email.label("email")).outerjoin(User, User.id == OrphanSighting.requested_by)
    if status == _LIVE:
        query = query.where(OrphanSighting.status.in_(_UNDECIDED))
    elif status:
        query = query.where(OrphanSighting.status == status if status in list(OrphanStatus) else false())
    if kind:
        query = query.where(OrphanSighting.kind == kind if kind in list(OrphanKind) else false())
    found = cut(session, query, OrphanSighting.id, place)
    removals = {
        row.OrphanSighting.id: (
            removal_refusal(orphan_of(row.OrphanSighting), row.OrphanSighting.status),
            describe_removal(orphan_of(row.OrphanSighting)),
        )
        for row in found.rows
    }
    return page(
        request,
        visitor,
        "orphans.html",
        slice=found,
        removals=removals,
        statuses=[_LIVE, *OrphanStatus],
        kinds=list(OrphanKind),
        chosen={"status": status, "kind": kind},
    )


@router.post("/admin/orphans/{orphan_id}/remove")
def remove(
    orphan_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Decide that an orphan goes; a worker removes it after having looked once more."""
    reason = parse(RemovalForm, form).reason
    Orphans(transaction.session).request_removal(orphan_id, visitor.principal.user_id, reason)
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.REMOVE_ORPHAN, orphan_id))
    said = "A worker removes it, after having looked once more whether it is what was seen."
    return done(runtime, visitor, "/admin/orphans", Flash("good", said))
