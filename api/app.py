"""The HTTP application."""

from importlib.metadata import version

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from api import health, reference
from api.auth.passwords import Passwords
from api.auth.principal import count_request
from api.limits import RateLimits
from api.metrics import endpoints as metrics
from api.metrics.http import HttpMetrics
from api.metrics.rows import register_rows
from api.middleware import BodyLimit, RequestContext
from api.openapi import PROBLEM_RESPONSES, DescribedApp
from api.problems import install_problem_handlers
from api.routes import ROUTERS, UNCOUNTED_ROUTERS
from api.runtime import Runtime
from api.web import routes as web
from api.web.errors import error_page

MAX_BODY_BYTES = 1024 * 1024

_DESCRIPTION = """
Order game servers, bots and cloud VMs; watch them come up; run them; cancel them.

Send an API token as `Authorization: Bearer slw_…`, or log in and send the session's cookie.
Lists are paged: follow `next_cursor`. Money is in integer cents, times are UTC, ids are UUIDv7.
Every error is a problem document with a stable `code` and a `request_id`.
"""


def create_app(runtime: Runtime, *, passwords: Passwords | None = None) -> FastAPI:
    """Build the application on a process's long-lived parts.

    Args:
        runtime: stays the caller's, who closes it after the server has stopped.
        passwords: how passwords are hashed; the default costs what RFC 9106 recommends.
    """
    app = DescribedApp(
        title="Slipway",
        version=version("slipway"),
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.runtime = runtime
    app.state.passwords = passwords or Passwords()
    app.state.limits = RateLimits(
        runtime.redis,
        requests_per_minute=runtime.settings.requests_per_minute,
        logins_per_minute=runtime.settings.logins_per_minute,
    )
    app.state.metrics = HttpMetrics(CollectorRegistry())
    register_rows(app.state.metrics.registry, runtime.database)
    install_problem_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    app.add_middleware(RequestContext, is_https=runtime.settings.secure_cookies, metrics=app.state.metrics)
    app.include_router(reference.router)
    app.include_router(health.router, responses=PROBLEM_RESPONSES)
    app.include_router(metrics.router, responses=PROBLEM_RESPONSES)
    app.include_router(web.router, include_in_schema=False)
    app.state.error_page = error_page
    for router in ROUTERS:
        app.include_router(router, prefix="/v1", responses=PROBLEM_RESPONSES, dependencies=[Depends(count_request)])
    for router in UNCOUNTED_ROUTERS:
        app.include_router(router, prefix="/v1", responses=PROBLEM_RESPONSES)
    return app
