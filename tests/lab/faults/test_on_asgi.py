"""Faults in front of a FastAPI stand-in: what the service has done, and what its caller hears of it."""

import asyncio

import httpx
from starlette.types import Receive, Scope, Send

from lab.faults.on_asgi import FaultGate
from lab.faults.rules import Fault, FaultKind, FaultTable


def test_a_late_error_comes_after_the_work_was_done() -> None:
    """The nasty one: the record is there, and the caller is told that it is not."""
    done: list[str] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        done.append(scope["path"])
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b"made"})

    table = FaultTable()
    table.add(Fault(kind=FaultKind.LATE_ERROR, status=502, message="bad gateway", after=1, times=1))
    gate = FaultGate(service, table, lambda fault: {"error": fault.message})

    async def calls() -> list[tuple[int, str]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://lab.example") as client:
            answers = [await client.post(f"/{number}") for number in range(3)]
        return [(answer.status_code, answer.text) for answer in answers]

    assert asyncio.run(calls()) == [(201, "made"), (502, '{"error": "bad gateway"}'), (201, "made")]
    assert done == ["/0", "/1", "/2"]
