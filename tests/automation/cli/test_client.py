"""The client under bad conditions: broken streams, lost answers, an API that is away."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from api.auth.scopes import CUSTOMER_SCOPES
from api.orders.models import Order
from automation.cli.client import ApiClient, UnreachableError
from automation.cli.credentials import Credentials
from automation.cli.errors import ApiError, CliError
from tests.automation.cli.conftest import place
from tests.factories.orders import GAME_SERVER
from tests.fixtures.api import Api, Customer
from tests.fixtures.operations import Desk
from tests.fixtures.shop import Shop


class _CutStream(httpx.SyncByteStream):
    """A response body that breaks off after so many bytes."""

    def __init__(self, body: Iterator[bytes], limit: int) -> None:
        self._body = body
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        seen = b""
        for part in self._body:
            seen += part
            if len(seen) > self._limit:
                yield seen[: self._limit]
                raise httpx.ReadError("the connection was reset")
        yield seen


class BadLine(httpx.HTTPTransport):
    """A network that cuts event streams after ``limit`` bytes and loses the answers to the first ``lost`` orders."""

    def __init__(self, limit: int = 1_000_000, lost: int = 0) -> None:
        super().__init__()
        self.limit, self.lost = limit, lost
        self.resumed_from: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over this network."""
        response = super().handle_request(request)
        if request.url.path.endswith("/orders") and self.lost:
            self.lost -= 1
            response.read()
            raise httpx.ReadError("the connection was reset")
        if "Last-Event-ID" not in request.headers:
            return response
        self.resumed_from.append(request.headers["Last-Event-ID"])
        assert isinstance(response.stream, httpx.SyncByteStream)
        stream = _CutStream(iter(response.stream), self.limit)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream)


@pytest.fixture
def credentials(api: Api, buyer: Customer) -> Credentials:
    """The buyer's token."""
    answer = buyer.http.post("/v1/tokens", json={"name": "client", "scopes": list(CUSTOMER_SCOPES)})
    return Credentials(api.url, answer.raise_for_status().json()["token"])


class TestEvents:
    @pytest.fixture
    def operation_id(self, buyer: Customer, api_shop: Shop, api_desk: Desk) -> UUID:
        """An operation that has ended and left a log."""
        order_id = place(api_shop, buyer, "box")
        lease = api_desk.begun(order_id)
        api_desk.log(lease, *(f"line {number}" for number in range(20)))
        api_desk.end(lease, is_running=True, outputs={}, changes={}, pulumi_processes=2, cpu_seconds=1.0)
        return api_desk.latest(order_id).id

    @pytest.mark.parametrize("limit", [700, 1100, 2000])
    def test_a_broken_stream_goes_on_after_the_last_line(
        self, credentials: Credentials, operation_id: UUID, limit: int
    ) -> None:
        """Wherever it breaks, no line is lost and none comes twice."""
        line = BadLine(limit=limit)
        with ApiClient(credentials, line, pause=lambda _: None) as client:
            events = list(client.events(str(operation_id), follow=True))
        messages = [document["message"] for kind, document in events if kind == "line"]
        assert [message for message in messages if message.startswith("line")] == [f"line {n}" for n in range(20)]
        assert events[-1][0] == "end"
        assert len(line.resumed_from) > 1
        assert sorted(line.resumed_from, key=int) == line.resumed_from

    def test_a_stream_that_never_gets_anywhere_is_given_up(self, credentials: Credentials, operation_id: UUID) -> None:
        """The number of tries without progress is bounded."""
        line = BadLine(limit=10)
        with ApiClient(credentials, line, pause=lambda _: None) as client, pytest.raises(UnreachableError):
            list(client.events(str(operation_id), follow=True))
        assert len(line.resumed_from) == 6

    def test_a_strangers_operation_cannot_be_followed(self, api: Api, operation_id: UUID) -> None:
        """The problem document reaches the caller, though a stream was asked for."""
        answer = api.customer().http.post("/v1/tokens", json={"name": "x", "scopes": list(CUSTOMER_SCOPES)}).json()
        with ApiClient(Credentials(api.url, answer["token"])) as client, pytest.raises(ApiError) as error:
            list(client.events(str(operation_id), follow=True))
        assert error.value.code == "not_found"


class TestRepeating:
    def test_a_lost_answer_does_not_order_twice(self, credentials: Credentials, api_shop: Shop) -> None:
        """The same key goes with every try."""
        pauses: list[float] = []
        with ApiClient(credentials, BadLine(lost=2), pause=pauses.append) as client:
            placed = client.post_until_answered("/orders", GAME_SERVER, "key-of-this-order")
        assert [str(order.id) for order in api_shop.all(Order)] == [placed["id"]]
        assert pauses == [1, 2]

    def test_what_is_away_for_a_moment_is_asked_again(self, credentials: Credentials, api_shop: Shop) -> None:
        """A 503 that says "retryable" is."""
        api_shop.payments.is_reachable = False

        def repair(_: float) -> None:
            api_shop.payments.is_reachable = True

        with ApiClient(credentials, pause=repair) as client:
            placed = client.post_until_answered("/orders", GAME_SERVER, "key-of-this-order")
        assert placed["checkout_url"]
        assert len(api_shop.all(Order)) == 1

    def test_what_was_refused_is_not_asked_again(self, credentials: Credentials, api_shop: Shop) -> None:
        """A refusal is an answer."""
        pauses: list[float] = []
        with ApiClient(credentials, pause=pauses.append) as client, pytest.raises(ApiError, match="has no size"):
            client.post_until_answered("/orders", GAME_SERVER | {"size": "huge"}, "key-of-this-order")
        assert not pauses
        assert not api_shop.all(Order)


class TestPages:
    def test_a_long_list_is_read_to_its_end(self, credentials: Credentials, buyer: Customer, api_shop: Shop) -> None:
        """All pages, newest first, nothing twice."""
        names = [f"box-{number}" for number in range(7)]
        for name in names:
            api_shop.place(buyer.id, name=name)
        with ApiClient(credentials, _SmallPages()) as client:
            assert [item["name"] for item in client.pages("/workloads")] == names[::-1]


class _SmallPages(httpx.HTTPTransport):
    """Turns every page of a hundred into pages of three."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request for a smaller page."""
        request.url = request.url.copy_set_param("limit", 3)
        return super().handle_request(request)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ftp://x", "not an address", "http://[::1"])
def test_an_api_that_is_not_there_is_told_with_its_address(url: str) -> None:
    """The message names the setting to look at."""
    with pytest.raises(CliError, match="SLIPWAY_API_URL"), ApiClient(Credentials(url)) as client:
        client.get("/products")
