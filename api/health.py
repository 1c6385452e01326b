"""Whether the process lives, and whether it can serve."""

from typing import Literal

import structlog
from fastapi import APIRouter
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.problems import ServiceUnavailable
from api.runtime import RuntimeDep

_log = structlog.get_logger(__name__)

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What we need, and how it is. Without Redis we still serve: rows, not the broker, are the truth."""

    status: Literal["ok", "degraded"]
    database: Literal["ok"] = "ok"
    redis: Literal["ok", "unreachable"]


@router.get("/healthz")
async def liveness() -> Liveness:
    """Tell that the process lives; asks nobody, not even for a thread, so that an outage elsewhere restarts no one."""
    return Liveness()


@router.get("/readyz")
def readiness(runtime: RuntimeDep) -> Readiness:
    """Tell whether we can serve: 503 while the database is away, "degraded" while Redis is."""
    try:
        with runtime.database.transaction() as transaction:
            transaction.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        _log.warning("not ready: the database is away", exc_info=True)
        raise ServiceUnavailable("the database cannot be reached", database="unreachable") from None
    try:
        runtime.redis.ping()
    except RedisError:
        return Readiness(status="degraded", redis="unreachable")
    return Readiness(status="ok", redis="ok")
