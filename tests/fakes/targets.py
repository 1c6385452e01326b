"""Stands in for Inventory's service discovery over HTTP until a test has stacks that report."""

from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException


def discovery(token: str, groups: list[dict[str, Any]]) -> FastAPI:
    """Return an application that answers as ``GET /v1/inventory/prometheus-targets`` does, to one token."""
    app = FastAPI()

    @app.get("/v1/inventory/prometheus-targets")
    def targets(authorization: Annotated[str, Header()] = "", job: str | None = None) -> list[dict[str, Any]]:
        if authorization != f"Bearer {token}":
            raise HTTPException(401)
        return [group for group in groups if job is None or group["labels"]["job"] == job]

    return app
