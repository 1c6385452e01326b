"""Where Prometheus scrapes."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from api.auth.principal import Principal, require
from api.problems import ServiceUnavailable

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, _principal: Annotated[Principal, require("inventory:read")]) -> Response:
    """Return all figures in Prometheus' text format; needs a token with the scope `inventory:read`."""
    registry: CollectorRegistry = request.app.state.metrics.registry
    try:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
    except SQLAlchemyError:
        raise ServiceUnavailable("the database cannot be reached", database="unreachable") from None
