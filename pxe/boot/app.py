"""The boot service's application: machines talk to it, in plain HTTP on the provisioning network."""

from importlib.metadata import version
from typing import Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.errors import SlipwayError
from api.metrics.http import HttpMetrics
from api.middleware import BodyLimit, RequestContext
from api.problems import install_problem_handlers, request_id_of
from pxe.boot.guard import Guard
from pxe.boot.routes import boot, deployments, seeds
from pxe.boot.runtime import BootRuntime, BootRuntimeDep

_MAX_BODY = 512 * 1024


class Health(BaseModel):
    """The process answers, and reaches the database."""

    status: Literal["ok"] = "ok"


def create_boot_app(runtime: BootRuntime) -> FastAPI:
    """Build the application; the runtime stays the caller's, who closes its database after the server has stopped."""
    app = FastAPI(
        title="Slipway boot service",
        version=version("slipway"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.runtime = runtime
    app.state.metrics = HttpMetrics(CollectorRegistry())
    app.state.error_page = error_text
    install_problem_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, max_bytes=_MAX_BODY)
    app.add_middleware(Guard, requests_per_minute=runtime.settings.pxe_requests_per_minute)
    app.add_middleware(RequestContext, is_https=False, metrics=app.state.metrics)
    app.add_api_route("/healthz", liveness)
    app.add_api_route("/readyz", readiness)
    for router in (boot.router, deployments.router, seeds.router):
        app.include_router(router)
    return app


async def liveness() -> Health:
    """Tell that the process lives."""
    return Health()


async def readiness(runtime: BootRuntimeDep) -> Health:
    """Tell that the database can be reached; 503 if not."""

    def ask(session: Session) -> None:
        session.execute(text("SELECT 1"))

    await runtime.settle(ask)
    return Health()


def error_text(request: Request, error: SlipwayError) -> Response:
    """Render an error for a machine's console and log: a line of text."""
    line = f"{error.code}: {error.detail} ({request_id_of(request)})\n"
    headers = {"Retry-After": str(error.fields.get("retry_after_seconds", 5))} if error.retryable else {}
    return PlainTextResponse(line, error.status, headers)
