"""What the lab's other processes and tests may do with the machine hall: see what it is, and serve DHCP."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException

from lab.document import MetalSection
from lab.metal.hall import MachineHall
from lab.metal.tools import MetalLabError


def create_app(hall: MachineHall, control_token: str) -> FastAPI:
    """Build the application; every route wants the control token."""

    def admit(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization, f"Bearer {control_token}"):
            raise HTTPException(401, "the control token of lab.json is needed")

    app = FastAPI(openapi_url=None)
    app.include_router(_routes(hall), prefix="/_lab", dependencies=[Depends(admit)])
    return app


def _routes(hall: MachineHall) -> APIRouter:
    router = APIRouter()

    @router.get("/section")
    def section() -> MetalSection:
        """Describe the hall, but for the control address, which the supervisor knows."""
        return hall.section("")

    @router.put("/dnsmasq", status_code=204)
    def dnsmasq(config: Annotated[str, Body(media_type="text/plain")]) -> None:
        """Serve DHCP and TFTP to the machines with this configuration."""
        try:
            hall.rig.network.start_dnsmasq(config)
        except MetalLabError as error:
            raise HTTPException(422, str(error)) from error

    return router
