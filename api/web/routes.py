"""All pages, in one place."""

from fastapi import APIRouter, Response

from api.errors import NotFound
from api.web import (
    alerts,
    audit,
    dashboard,
    drift,
    enrolment,
    login,
    machine_actions,
    machines,
    my,
    my_actions,
    nodes,
    operations,
    orphans,
    plans,
    platform,
    policy,
    workloads,
)
from api.web.rendering import ASSETS

PAGES: tuple[APIRouter, ...] = (
    login.router,
    dashboard.router,
    operations.router,
    plans.router,
    workloads.router,
    nodes.router,
    enrolment.router,
    machines.router,
    machine_actions.router,
    platform.router,
    drift.router,
    orphans.router,
    alerts.router,
    audit.router,
    policy.router,
    my.router,
    my_actions.router,
)

router = APIRouter(include_in_schema=False)


@router.get("/admin/static/{digest}/{name}")
@router.get("/my/static/{digest}/{name}")
async def asset(digest: str, name: str) -> Response:
    """Serve our stylesheet, script or icon."""
    response = ASSETS.response(digest, name)
    if response is None:
        raise NotFound("there is no such file")
    return response


for _pages in PAGES:
    router.include_router(_pages)
