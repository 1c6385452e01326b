"""Keyset pagination."""

from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import decode_cursor, encode_cursor
from tests.fixtures.api import Api


@given(st.uuids())
def test_a_cursor_survives_the_round_trip(last: UUID) -> None:
    """What a page gives, the next request may send back."""
    assert decode_cursor(encode_cursor(last)) == last


@given(st.text() | st.integers() | st.none() | st.binary())
def test_anything_that_is_not_a_cursor_is_refused(value: object) -> None:
    """Only a value that we could have made is taken, and the error says what to do."""
    with pytest.raises(ValueError, match="send a page's 'next_cursor'"):
        decode_cursor(value)


def _names(client: httpx.Client, limit: int) -> list[list[str]]:
    """Return the names of all tokens, page by page."""
    pages, parameters = [], {"limit": str(limit)}
    while True:
        page = client.get("/v1/tokens", params=parameters).raise_for_status().json()
        pages.append([token["name"] for token in page["items"]])
        if page["next_cursor"] is None:
            return pages
        parameters["cursor"] = page["next_cursor"]


def _create(client: httpx.Client, *names: str) -> None:
    for name in names:
        client.post("/v1/tokens", json={"name": name, "scopes": ["keys:read"]}).raise_for_status()


def test_pages_show_everything_once_newest_first(api: Api) -> None:
    """A full last page is recognised as the last: no empty page follows it."""
    client = api.customer().http
    _create(client, "1", "2", "3", "4")

    assert _names(client, 3) == [["4", "3", "2"], ["1"]]
    assert _names(client, 2) == [["4", "3"], ["2", "1"]]
    assert _names(client, 4) == [["4", "3", "2", "1"]]


def test_an_empty_list_is_one_empty_page(api: Api) -> None:
    """Nothing to show is no error."""
    assert _names(api.customer().http, 20) == [[]]


def test_what_is_added_between_two_pages_moves_nothing(api: Api) -> None:
    """The second page goes on where the first ended, whatever came on top meanwhile."""
    client = api.customer().http
    _create(client, "1", "2", "3")
    first = client.get("/v1/tokens", params={"limit": 2}).json()
    _create(client, "4")
    second = client.get("/v1/tokens", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    assert [token["name"] for token in second["items"]] == ["1"]


@pytest.mark.parametrize(
    "cursor", ["x", "", "AAAA", "%00", "é", "01932c07-0000-7000-8000-000000000001", "A" * 22 + "=", "A" * 21 + "B"]
)
def test_a_bad_cursor_is_a_422_that_names_it(api: Api, cursor: str) -> None:
    """The caller learns which parameter is wrong and where a good one comes from."""
    answer = api.customer().http.get("/v1/tokens", params={"cursor": cursor})

    assert answer.status_code == 422
    assert [entry["field"] for entry in answer.json()["errors"]] == ["cursor"]
