"""Webhook ingest: signed events a second to durable rows, with none lost."""

import hashlib
import hmac
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from sqlalchemy import text

from api.db.session import connect
from automation.embedded.system import EmbeddedSystem
from lab.bench.figures import Figure, at_least, at_most, spread

_THREADS = 4
_COUNT = text("SELECT count(*) FROM stripe_events WHERE id LIKE 'evt_bench_%'")


def measure_ingest(system: EmbeddedSystem, events: int) -> list[Figure]:
    """Send ``events`` different signed events over four connections and count the rows."""
    secret = system.settings["SLIPWAY_STRIPE_WEBHOOK_SECRETS"].split(",")[0]
    bodies = [_event(number) for number in range(events)]
    signed = [(body, _signature(body, secret)) for body in bodies]
    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=_THREADS) as threads:
        shares = [signed[index::_THREADS] for index in range(_THREADS)]
        latencies = [
            seconds for share in threads.map(lambda part: _send(system.api_url, part), shares) for seconds in share
        ]
    elapsed = time.perf_counter() - started
    database = connect(system.settings["DATABASE_URL"])
    with database.transaction() as transaction:
        rows = transaction.session.execute(_COUNT).scalar_one()
    database.close()
    return [
        at_least("webhook ingest", rows / elapsed, "events/s", 200, spread([s * 1000 for s in latencies], "ms")),
        at_most("webhooks lost", events - rows, "events", 0, f"of {events}, all answered 202"),
    ]


def _send(api_url: str, signed: list[tuple[bytes, str]]) -> list[float]:
    address = urlsplit(api_url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=30)
    latencies = []
    for body, signature in signed:
        started = time.perf_counter()
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
        connection.request("POST", "/v1/stripe/webhook", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.ACCEPTED:
            raise RuntimeError(f"a valid webhook was answered {answer.status}")
        latencies.append(time.perf_counter() - started)
    connection.close()
    return latencies


def _event(number: int) -> bytes:
    return json.dumps(
        {
            "id": f"evt_bench_{number}",
            "object": "event",
            "type": "customer.updated",
            "livemode": False,
            "created": int(time.time()),
            "data": {"object": {"id": f"cus_{number}", "object": "customer", "metadata": {"padding": "x" * 800}}},
        }
    ).encode()


def _signature(body: bytes, secret: str) -> str:
    """Sign as Stripe does: HMAC-SHA256 over the time, a dot and the raw body (docs.stripe.com/webhooks/signature)."""
    moment = int(time.time())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
