"""One trace from Stripe's webhook to the engine's steps, through three processes and two rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api.jobs import Job
from automation.engine.contract import EngineResult
from tests.factories.webhooks import event_body, signature
from tests.fakes.engine import FakeEngine, FakeRun
from tests.fakes.state import FakeStateStore
from tests.fixtures.api import Api
from tests.fixtures.operations import Desk
from tests.fixtures.platform import PlatformRig
from tests.fixtures.runner import GuestsOfEngine, RunnerRig, worker_settings
from tests.fixtures.shop import Shop
from tests.fixtures.traces import Traces


class Telling(FakeEngine):
    """An engine that tells of the one resource it makes."""

    def perform(self, run: FakeRun, poll: Callable[[], bool]) -> EngineResult:
        """Carry a run out."""
        if not run.job.action.is_preview:
            step = {"op": "create", "type": "t", "urn": "urn:1"}
            run.tell("resource", "Creating the thing", status="begun", **step)
            run.tell("resource", "Created the thing", status="done", seconds=0.25, **step)
        return super().perform(run, poll)


@pytest.fixture
def rig(api_shop: Shop, tmp_path: Path) -> RunnerRig:
    """A worker behind the API's shop."""
    engine = Telling()
    return RunnerRig(Desk(api_shop), engine, GuestsOfEngine(engine), worker_settings(tmp_path), FakeStateStore(engine))


def test_a_payments_trace_leads_to_what_the_engine_made(
    api: Api, api_shop: Shop, rig: RunnerRig, traces: Traces
) -> None:
    """The webhook's request, the event's task, the operation's attempt, its phases, and each resource."""
    order_id = api_shop.place()
    api.payments.pay(order_id)
    body = event_body(subject={"id": f"cs_test_{order_id.hex}"})
    headers = {"Stripe-Signature": signature(body)}
    api.client().post("/v1/stripe/webhook", content=body, headers=headers).raise_for_status()
    ((event_id,),) = api.jobs.of(Job.APPLY_STRIPE_EVENT)
    api_shop.billing.apply_event(str(event_id))

    assert rig.run(order_id)

    attempt = ["POST /v1/stripe/webhook", "fastapi.endpoint", "billing.apply_event", "operation.apply"]
    for phase in ("settle", "plan", "apply", "verify"):
        assert traces.path(traces.named(f"phase.{phase}")) == [*attempt, f"phase.{phase}"]
    assert traces.path(traces.named("engine.create")) == [*attempt, "phase.apply", "engine.create"]


def test_an_operation_that_nobody_traced_begins_a_trace_of_its_own(
    rig: RunnerRig, api_shop: Shop, traces: Traces
) -> None:
    """A sweep found it, or it is older than tracing."""
    assert rig.run(api_shop.place_paid())
    assert traces.named("operation.apply").parent is None


def test_a_platform_run_is_a_trace_of_its_own_an_attempt(platform_rig: PlatformRig, traces: Traces) -> None:
    """An administrator's approval lies between its preview and its update."""
    platform_rig.brought_up()
    paths = [traces.path(span) for span in traces.spans if span.name.startswith("phase.")]
    assert paths == [["platform_run.up", f"phase.{phase}"] for phase in ("settle", "plan", "settle", "plan", "apply")]
