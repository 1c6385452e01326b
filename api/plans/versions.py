"""What the newest worker runs, on record for those who decide on plans."""

from collections.abc import Mapping

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.plans.models import EngineVersions


def announce(session: Session, versions: Mapping[str, str]) -> None:
    """Record what a worker that has just started runs."""
    values = {"versions": dict(versions), "seen_at": func.now()}
    statement = insert(EngineVersions).values(id=1, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
