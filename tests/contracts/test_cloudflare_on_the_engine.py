"""DNS records by ``pulumi_cloudflare`` on the real engine, with whichever plugin the toolchain has."""

import gc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto
from pulumi.automation import events
from pulumi_cloudflare import DnsRecord

from automation.toolchain import Toolchain
from tests.fakes.cloudflare_server import TOKEN, ZONE_ID, Cloudflare, cloudflare_server

pytestmark = pytest.mark.engine

RECORDS = f"/zones/{ZONE_ID}/dns_records"


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Have what the stock Automation API leaves behind, an event loop a run, collected here and not in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    """An empty zone ``slipway.example``."""
    with cloudflare_server() as running:
        yield running


@pytest.fixture
def stack(engine_toolchain: Toolchain, cloudflare: Cloudflare, tmp_path: Path) -> auto.Stack:
    """An empty stack whose engine knows that zone."""
    state = tmp_path / "state"
    state.mkdir()
    backend = f"file://{state}"
    workspace = auto.LocalWorkspace(
        work_dir=str(tmp_path),
        pulumi_command=auto.PulumiCommand(root=str(engine_toolchain.pulumi.parents[1])),
        project_settings=auto.ProjectSettings("contract", "python", backend=auto.ProjectBackend(backend)),
        env_vars={
            **engine_toolchain.environment(),
            "PULUMI_BACKEND_URL": backend,
            "PULUMI_CONFIG_PASSPHRASE": "of this test only",
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "CLOUDFLARE_BASE_URL": cloudflare.url,
        },
    )
    return auto.Stack.create("contract", workspace)


def record(name: str = "www", content: str = "203.0.113.1", **more: Any) -> Callable[[], None]:
    """A program with one record; ``imported`` is the id of one that is there."""
    imported = more.pop("imported", None)

    def program() -> None:
        options = pulumi.ResourceOptions(delete_before_replace=True, import_=imported)
        made = DnsRecord("it", zone_id=ZONE_ID, name=name, type="A", content=content, ttl=300, opts=options, **more)
        pulumi.export("id", made.id)

    return program


def pending(stack: auto.Stack, program: Callable[[], None]) -> list[tuple[str, list[str]]]:
    """What an ``up`` would do about what is really there: operations and changed properties."""
    steps: list[tuple[str, list[str]]] = []

    def note(event: events.EngineEvent) -> None:
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step is not None and step.op.value not in {"same", "refresh"}:
            steps.append((step.op.value, step.diffs or []))

    stack.preview(program=program, refresh=True, on_event=note)
    return steps


def test_a_record_comes_up_stays_the_same_changes_and_goes(stack: auto.Stack, cloudflare: Cloudflare) -> None:
    """As inventory and a customer see it."""
    up = stack.up(program=record(comment="order-1"))
    (live,) = cloudflare.client.call("GET", RECORDS)
    assert (live["id"], live["name"], live["comment"]) == (up.outputs["id"].value, "www.slipway.example", "order-1")
    assert pending(stack, record(comment="order-1")) == []
    assert pending(stack, record("WWW", comment="order-1")) == []
    changed = stack.up(program=record(content="203.0.113.2"))
    assert changed.outputs["id"].value == live["id"]
    (live,) = cloudflare.client.call("GET", RECORDS)
    assert (live["content"], live["comment"]) == ("203.0.113.2", None)
    stack.destroy()
    assert cloudflare.client.call("GET", RECORDS) == []


def test_what_was_done_by_hand_is_seen_and_put_right(stack: auto.Stack, cloudflare: Cloudflare) -> None:
    """A change, and a removal."""
    place = f"{RECORDS}/{stack.up(program=record()).outputs['id'].value}"
    cloudflare.client.call("PATCH", place, {"content": "203.0.113.66"})
    assert pending(stack, record()) == [("update", ["content"])]
    cloudflare.client.call("DELETE", place)
    assert [operation for operation, _ in pending(stack, record())] == ["create"]
    stack.up(program=record(), refresh=True)
    assert [live["content"] for live in cloudflare.client.call("GET", RECORDS)] == ["203.0.113.1"]


def test_a_record_that_is_there_is_refused_and_can_be_imported(stack: auto.Stack, cloudflare: Cloudflare) -> None:
    """The refusal names what the import needs."""
    there = {"name": "www", "type": "A", "content": "203.0.113.1", "ttl": 300}
    live = cloudflare.client.call("POST", RECORDS, there)
    with pytest.raises(auto.CommandError, match=f"import id {ZONE_ID}/{live['id']}"):
        stack.up(program=record())
    up = stack.up(program=record(imported=f"{ZONE_ID}/{live['id']}"))
    assert up.outputs["id"].value == live["id"]
    assert pending(stack, record()) == []


def test_no_credential_is_in_the_state(stack: auto.Stack) -> None:
    """It stays in the environment."""
    stack.up(program=record())
    assert TOKEN not in str(stack.export_stack().deployment)
