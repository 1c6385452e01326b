"""One login at Robot."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from components.robot.budget import RequestBudget
from components.robot.client import TRIES, Robot
from components.robot.errors import OutOfRequests, RobotRefused, RobotUnreachable, WrongCredentials

Answer = httpx.Response | httpx.TransportError


class Wire:
    """Answers requests from a script, the last answer for ever, and keeps them."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, str, str]] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append((request.method, request.url.path, request.content.decode()))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


def error(status: int, code: str, **more: Any) -> httpx.Response:
    """An error as Robot writes it."""
    return httpx.Response(status, json={"error": {"status": status, "code": code, "message": "no", **more}})


@pytest.fixture
def login() -> Iterator[Callable[[Wire], Robot]]:
    """A login on a wire."""
    clients: list[httpx.Client] = []

    def on(wire: Wire) -> Robot:
        clients.append(httpx.Client(base_url="https://robot.example", transport=httpx.MockTransport(wire)))
        return Robot(clients[-1], RequestBudget(lambda: 0.0), wire.pauses.append)

    yield on
    for client in clients:
        client.close()


def test_a_refused_login_is_tried_once_by_however_many(login: Callable[[Wire], Robot]) -> None:
    """Four threads at once send one request between them."""
    wire = Wire(error(401, "UNAUTHORIZED"))
    robot = login(wire)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(robot.get, "/vswitch") for _ in range(4)]
    assert all(isinstance(item.exception(), WrongCredentials) for item in asked)
    assert wire.requests == [("GET", "/vswitch", "")]


def test_a_question_is_asked_again_and_a_change_is_not(login: Callable[[Wire], Robot]) -> None:
    """After an answer that was lost, or one of a broken server."""
    wire = Wire(httpx.ReadTimeout("late"), httpx.Response(502, text="<html>"), httpx.Response(200, json=[]))
    assert login(wire).get("/vswitch") == []
    assert (len(wire.requests), len(wire.pauses)) == (3, 2)
    wire = Wire(httpx.ReadTimeout("late"))
    with pytest.raises(RobotUnreachable, match="did not answer POST /vswitch: ReadTimeout late; run again"):
        login(wire).write("POST", "/vswitch", {"name": "a"})
    assert wire.requests == [("POST", "/vswitch", "name=a")]


def test_a_question_is_not_asked_for_ever(login: Callable[[Wire], Robot]) -> None:
    """The last error is told."""
    wire = Wire(error(500, "INTERNAL_ERROR"))
    with pytest.raises(RobotUnreachable, match=r"Robot failed at GET /vswitch: no \(500\)"):
        login(wire).get("/vswitch")
    assert len(wire.requests) == TRIES


def test_a_refusal_names_the_code_and_the_parameters(login: Callable[[Wire], Robot]) -> None:
    """It is not tried again."""
    wire = Wire(error(400, "INVALID_INPUT", missing=["name"], invalid=["vlan"]))
    with pytest.raises(RobotRefused, match=r"Robot refused GET /vswitch: no \(INVALID_INPUT: name, vlan\)") as caught:
        login(wire).get("/vswitch")
    assert (caught.value.code, len(wire.requests)) == ("INVALID_INPUT", 1)


def test_robot_s_limit_ends_all_requests(login: Callable[[Wire], Robot]) -> None:
    """The next one is not even sent."""
    wire = Wire(error(403, "RATE_LIMIT_EXCEEDED", max_request=200, interval=3600))
    robot = login(wire)
    for _ in range(2):
        with pytest.raises(OutOfRequests):
            robot.get("/vswitch")
    assert len(wire.requests) == 1


def test_lists_and_empty_answers(login: Callable[[Wire], Robot]) -> None:
    """Robot wants brackets, and answers most changes with nothing."""
    wire = Wire(httpx.Response(200))
    assert login(wire).write("DELETE", "/vswitch/1/server", {"server[]": [1, 2]}) is None
    assert wire.requests == [("DELETE", "/vswitch/1/server", "server%5B%5D=1&server%5B%5D=2")]
