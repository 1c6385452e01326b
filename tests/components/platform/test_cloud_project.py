"""Finding what an earlier run has made."""

import json
from collections.abc import Callable

import httpx
import pulumi
import pytest

from components.platform.cloud_project import CloudProject

LABELS = {"managed-by": "slipway", "estate": "lab"}


def project(answer: Callable[[httpx.Request], httpx.Response]) -> CloudProject:
    """A project whose API answers so."""
    return CloudProject(httpx.Client(base_url="http://cloud/v1", transport=httpx.MockTransport(answer)), LABELS)


def pages(*each: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    """Networks of these names, a page a list; a request without our labels fails the test."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["label_selector"] == "estate=lab,managed-by=slipway"
        page = int(request.url.params["page"])
        found = [{"id": page * 100 + index, "name": name} for index, name in enumerate(each[page - 1])]
        following = page + 1 if page < len(each) else None
        return httpx.Response(200, json={"networks": found, "meta": {"pagination": {"next_page": following}}})

    return answer


def test_a_thing_is_found_on_whichever_page_it_is() -> None:
    """By its name, among those of the stack."""
    there = project(pages(["one", "two"], ["three"]))
    assert [there.identity("networks", name) for name in ("two", "three", "four")] == ["101", "200", None]


def test_a_kind_is_asked_for_once() -> None:
    """However many names are looked up."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return pages(["one"])(request)

    there = project(answer)
    for name in ("one", "two"):
        there.find("networks", name)
    assert asked == ["/v1/networks"]


def test_without_a_project_nothing_is_there() -> None:
    """For a look at what a program declares."""
    assert CloudProject(None, LABELS).find("networks", "lab") is None


@pytest.mark.parametrize(
    ("status", "complaint"),
    [(401, r"refuses to list networks \(401: .*unauthorized.*\); check HCLOUD_TOKEN"), (503, r"\(503: ")],
)
def test_a_refusal_is_one_sentence(status: int, complaint: str) -> None:
    """With what Hetzner said."""
    body = json.dumps({"error": {"code": "unauthorized"}})
    with pytest.raises(pulumi.RunError, match=complaint):
        project(lambda _: httpx.Response(status, text=body)).find("networks", "lab")


def test_no_answer_is_one_sentence() -> None:
    """It says to run again."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("", request=request)

    with pytest.raises(pulumi.RunError, match=r"does not answer \(ConnectTimeout\); run again"):
        project(answer).find("networks", "lab")
