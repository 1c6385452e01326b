"""The application as a process would serve it: forms of errors, and what outlives a run."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.document import HcloudSection
from lab.hcloud.app import create_app
from lab.hcloud.settings import HcloudSettings

SETTINGS = HcloudSettings(section=HcloudSection(), control_token="control")
TOKEN = SETTINGS.section.tokens["slipway"]


def ask(*requests: tuple[str, str, dict[str, Any]], settings: HcloudSettings = SETTINGS) -> list[httpx.Response]:
    """The answers of one run of the application, from its start to its end."""

    async def run() -> list[httpx.Response]:
        app = create_app(settings)
        transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {TOKEN}"}
        served = httpx.AsyncClient(transport=transport, base_url="http://lab", headers=headers)
        async with app.router.lifespan_context(app), served as client:
            return [await client.request(method, path, **more) for method, path, more in requests]

    return asyncio.run(run())


def test_what_was_made_outlives_a_run_and_ids_go_on(tmp_path: Path) -> None:
    """A lab that is stopped and started has the same resources."""
    settings = SETTINGS.model_copy(update={"memory": str(tmp_path / "hcloud.memory")})
    ids = []
    for name in ("one", "two"):
        new = {"name": name, "type": "spread"}
        made, found = ask(
            ("POST", "/v1/placement_groups", {"json": new}), ("GET", "/v1/placement_groups", {}), settings=settings
        )
        ids.append(made.json()["placement_group"]["id"])
    assert [group["name"] for group in found.json()["placement_groups"]] == ["one", "two"]
    assert ids[0] < ids[1]


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/v1/teapots", b"", 404, "not_found"),
        ("GET", "/v1/servers/abc", b"", 404, "not_found"),
        ("POST", "/v1/networks", b"{", 422, "json_error"),
        ("POST", "/v1/networks", b"[]", 422, "invalid_input"),
        ("GET", "/v1/servers?page=x", b"", 422, "invalid_input"),
        ("GET", "/v1/servers?page=²", b"", 422, "invalid_input"),
        ("GET", "/v1/datacenters", b"", 410, "deprecated_api_endpoint"),
    ],
)
def test_every_error_has_the_form_of_the_api(method: str, path: str, content: bytes, status: int, code: str) -> None:
    """A code of the public list, and a message."""
    (answer,) = ask((method, path, {"content": content}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_the_controls_are_for_the_holder_of_the_control_token_only() -> None:
    """The project's token opens nothing of the lab."""
    holder = {"headers": {"Authorization": "Bearer control"}}
    answers = ask(("DELETE", "/_lab/state", {}), ("DELETE", "/_lab/state", holder))
    assert [answer.status_code for answer in answers] == [401, 204]
