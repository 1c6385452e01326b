"""Operations and their live logs by HTTP."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import httpx_sse
import pytest

from api.operations.events import LogLine
from tests.fixtures.api import Api, Customer
from tests.fixtures.operations import Desk
from tests.fixtures.shop import Shop


@pytest.fixture
def desk(api: Api) -> Desk:
    """Return a desk behind the running API."""
    shop = Shop(api.runtime.database, api.payments, api.jobs, api.runtime.vault)
    shop.stock()
    return Desk(shop)


@pytest.fixture
def owner(api: Api) -> Customer:
    """Return a customer."""
    return api.customer()


BOT = {"product": "bot", "size": "nano", "template": "python-bot", "ssh_keys": []}


def _stream(
    client: httpx.Client, operation_id: object, last: str | None = None, **query: object
) -> Iterator[httpx_sse.ServerSentEvent]:
    headers = {} if last is None else {"Last-Event-ID": last}
    path = f"/v1/operations/{operation_id}/events"
    with httpx_sse.connect_sse(client, "GET", path, headers=headers, params=query) as source:
        yield from source.iter_sse()


def test_an_owner_sees_the_operation_and_its_end(desk: Desk, owner: Customer) -> None:
    """Kind, status, attempts and what was changed."""
    order_id = desk.shop.place_paid(owner.id, **BOT)
    desk.deliver(order_id)
    answer = owner.http.get(f"/v1/operations/{desk.latest(order_id).id}").raise_for_status().json()
    assert (answer["kind"], answer["status"], answer["attempts"]) == ("apply", "succeeded", 1)
    assert answer["changes"] == {"create": 8}
    assert answer["finished_at"].endswith(("Z", "+00:00"))


def test_the_log_of_an_ended_operation_ends_with_its_end(desk: Desk, owner: Customer) -> None:
    """Every line with its number, then the operation itself."""
    order_id = desk.shop.place_paid(owner.id, **BOT)
    lease = desk.deliver(order_id)
    events = list(_stream(owner.http, lease.operation_id))
    assert [event.event for event in events] == ["line", "end"]
    assert events[0].id == str(desk.lines(lease.operation_id)[0].id)
    assert events[0].json()["message"].startswith("Bringing")
    assert events[-1].json()["status"] == "succeeded"


def test_a_reader_that_was_cut_off_goes_on_where_it_was(desk: Desk, owner: Customer) -> None:
    """``Last-Event-ID`` is what a browser sends by itself."""
    order_id = desk.shop.place_paid(owner.id, **BOT)
    lease = desk.begun(order_id)
    desk.log(lease, "one", "two", "three")
    desk.end(lease, is_running=True)
    first = next(event for event in _stream(owner.http, lease.operation_id) if "one" in event.data)
    rest = list(_stream(owner.http, lease.operation_id, first.id))
    assert [event.json().get("message") for event in rest] == ["two", "three", None]
    assert [event.event for event in rest] == ["line", "line", "end"]


def test_a_reader_of_a_running_operation_gets_each_line_as_it_comes(desk: Desk, owner: Customer) -> None:
    """Lines that are written while the reader waits arrive, and the end closes the stream."""
    order_id = desk.shop.place_paid(owner.id, **BOT)
    lease = desk.begun(order_id)
    events = _stream(owner.http, lease.operation_id)
    assert next(events).json()["kind"] == "begin"
    desk.with_leases(lambda leases: leases.log(lease, [LogLine("resource", "Creating it.")]))
    assert next(events).json()["message"] == "Creating it."
    desk.end(lease, is_running=True)
    assert [event.event for event in events] == ["end"]


def test_a_retry_does_not_end_the_stream(desk: Desk, owner: Customer) -> None:
    """The reader stays until the operation has really ended."""
    order_id = desk.shop.place_paid(owner.id, **BOT)
    lease = desk.begun(order_id)
    events = _stream(owner.http, lease.operation_id)
    next(events)
    desk.fail(lease)
    assert next(events).json()["kind"] == "retry"
    desk.make_due(lease.operation_id)
    desk.deliver(order_id)
    assert [event.event for event in events] == ["line", "end"]


def test_a_reader_that_does_not_want_to_wait_gets_what_there_is(desk: Desk, owner: Customer) -> None:
    """``follow=false`` closes the stream of an operation that still works."""
    lease = desk.begun(desk.shop.place_paid(owner.id, **BOT))
    assert [event.event for event in _stream(owner.http, lease.operation_id, follow="false")] == ["line"]


def test_another_customer_learns_nothing_of_an_operation(api: Api, desk: Desk, owner: Customer) -> None:
    """Somebody else's operation and one that never was are answered alike."""
    operation_id = desk.latest(desk.shop.place_paid(owner.id, **BOT)).id
    stranger = api.customer()
    for path in (f"/v1/operations/{operation_id}", f"/v1/operations/{operation_id}/events"):
        answer = stranger.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.headers["content-type"] == "application/problem+json"
    assert stranger.http.get(f"/v1/operations/{uuid4()}").status_code == 404


@pytest.mark.parametrize("last", ["-1", "x", str(2**63)])
def test_a_number_that_no_line_can_have_is_refused(desk: Desk, owner: Customer, last: str) -> None:
    """With the header named."""
    operation_id = desk.latest(desk.shop.place_paid(owner.id, **BOT)).id
    answer = owner.http.get(f"/v1/operations/{operation_id}/events", headers={"Last-Event-ID": last})
    assert answer.status_code == 422
    assert "last-event-id" in answer.text.lower()


def test_verbs_by_http_hint_at_their_operation(api: Api, desk: Desk, owner: Customer) -> None:
    """Stop, reboot and cancel answer 202 with the operation, and its hint is sent after the commit."""
    order_id = desk.shop.place_paid(owner.id, **BOT)
    desk.deliver(order_id)
    workload = f"/v1/workloads/{desk.shop.workload(order_id).id}"
    assert owner.http.post(f"{workload}/start").status_code == 200
    reboot = owner.http.post(f"{workload}/reboot")
    assert (reboot.status_code, reboot.json()["kind"]) == (202, "reboot")
    assert owner.http.post(f"{workload}/reboot").status_code == 409
    cancel = owner.http.post(f"{workload}/cancel")
    assert (cancel.status_code, cancel.json()["kind"]) == (202, "destroy")
    assert owner.http.post(f"{workload}/cancel").json()["id"] == cancel.json()["id"]
    assert str(api.jobs.sent[-1][1][0]) == cancel.json()["id"]
    assert owner.http.post(f"{workload}/start").status_code == 409
