"""Customers and an administrator who go on whatever happens; what they cannot do now they leave."""

import random
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from automation.cli.errors import CliError
from lab.chaos.rig import Rig
from lab.customer import Customer, Wish, pay, sign_up

_WISHES = (
    ("cloud-vm", "small", "debian-12"),
    ("cloud-vm", "small", "ubuntu-24.04"),
    ("game-server", "small", "minecraft-java"),
    ("game-server", "small", "source-engine"),
    ("bot", "nano", "python-bot"),
    ("bot", "nano", "node-bot"),
)
_PAUSE_SECONDS = 1.0
_MOST_ALIVE = 12
_MOST_WAITING = 6
_WAITING = "SELECT count(*) FROM operations WHERE status IN ('queued', 'running')"
_ALIVE = "SELECT id, status FROM workloads WHERE status NOT IN ('deleted', 'pending_payment')"


class Load:
    """A thread of customers and one of an administrator.

    Attributes:
        done: what was asked for and granted, by verb.
        refused: what was asked for in vain, by verb.
    """

    def __init__(self, rig: Rig, chance: random.Random) -> None:
        """Sign a customer up and the administrator in; the threads begin with ``start``."""
        self._rig = rig
        self._chance = chance
        self._customer: Customer = sign_up(rig.system.api_url)
        self._admin = _administrator(rig)
        self._numbers = iter(range(1, 1_000_000))
        self._stop = threading.Event()
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._buy), threading.Thread(target=self._approve)]
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close_shop(self) -> None:
        """Let customers ask for nothing more; the administrator goes on."""
        self._closed.set()
        self._threads[0].join()

    def stop(self) -> None:
        """End both threads."""
        self._closed.set()
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._admin.close()
        self._customer.client.__exit__()

    def _buy(self) -> None:
        while not self._closed.wait(self._chance.uniform(0.2, 2 * _PAUSE_SECONDS)):
            if self._is_swamped():
                continue
            verb = self._chance.choices(["order", "power", "reboot", "cancel", "abandon"], [5, 3, 1, 2, 1])[0]
            try:
                verb = self._do(verb)
            except (CliError, httpx.HTTPError, SQLAlchemyError):
                self.refused[verb] += 1
            else:
                self.done[verb] += 1

    def _is_swamped(self) -> bool:
        """Tell whether so much waits that more would only make the end later: what is tested is loss, not load."""
        try:
            return bool(self._rig.rows(_WAITING)[0][0] >= _MOST_WAITING)
        except SQLAlchemyError:
            return False

    def _do(self, verb: str) -> str:
        alive = self._rig.rows(_ALIVE)
        running = [row for row in alive if row[1] in {"running", "stopped"}]
        if verb in {"order", "abandon"} or not running:
            if len(alive) >= _MOST_ALIVE:
                verb = "cancel"
            else:
                order = self._customer.order(self._wish())
                if verb != "abandon":
                    pay(order["checkout_url"])
                    verb = "order"
                return verb
        workload_id, status = self._chance.choice(running or alive)
        if verb == "power":
            verb = "stop" if status == "running" else "start"
        self._customer.client.post(f"/workloads/{workload_id}/{verb}")
        return verb

    def _wish(self) -> Wish:
        product, size, template = self._chance.choice(_WISHES)
        return Wish(product, size, template, f"chaos-{next(self._numbers)}")

    def _approve(self) -> None:
        """Approve all that waits for somebody."""
        while not self._stop.wait(_PAUSE_SECONDS):
            with suppress(httpx.HTTPError, KeyError, ValueError):
                for plan in self._waiting():
                    word = {"hash": plan["hash"], "reason": "chaos approves everything"}
                    answer = self._admin.post(f"/v1/admin/plans/{plan['id']}/approve", json=word)
                    (self.done if answer.is_success else self.refused)["approve"] += 1

    def _waiting(self) -> list[dict[str, Any]]:
        answer = self._admin.get("/v1/admin/plans", params={"status": "current"})
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return [plan for plan in items if plan["approvals_needed"]]


def _administrator(rig: Rig) -> httpx.Client:
    account = rig.system.administrator
    client = httpx.Client(base_url=rig.system.api_url, timeout=30)
    answer = client.post("/v1/auth/login", json={"email": account.email, "password": account.password})
    client.headers["X-CSRF-Token"] = answer.raise_for_status().json()["csrf_token"]
    return client
