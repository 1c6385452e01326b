"""What goes wrong, by kind. Each returns whether it found something to do harm to."""

import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType

import httpx
import psutil
from proxmoxer import ResourceException

from lab.chaos.rig import Rig, frozen

Fault = Callable[[Rig, random.Random], bool]
_LEASE_AND_MORE_SECONDS = 6.0
_HELD_SECONDS = 4.0
_MOMENT_SECONDS = 6.0
_POLL_SECONDS = 0.02


def _kill_one(find: Callable[[Rig], Sequence[psutil.Process]]) -> Fault:
    """Wait some seconds for a process of a kind to be there, and kill it: engines live for a second only."""

    def kill(rig: Rig, chance: random.Random) -> bool:
        deadline = time.monotonic() + _MOMENT_SECONDS
        while time.monotonic() < deadline:
            found = find(rig)
            if found:
                time.sleep(chance.uniform(0, 0.4))
                with suppress(psutil.NoSuchProcess):
                    chance.choice(list(found)).kill()
                    return True
            time.sleep(_POLL_SECONDS)
        return False

    return kill


def _freeze_worker(rig: Rig, chance: random.Random) -> bool:
    """Stop a worker for longer than its lease; it goes on as a zombie."""
    found = rig.worker_children()
    if not found:
        return False
    with suppress(psutil.NoSuchProcess), frozen(chance.choice(found), _LEASE_AND_MORE_SECONDS):
        return True
    return False


def _freeze_engine(rig: Rig, chance: random.Random) -> bool:
    found = rig.engines()
    if not found:
        return False
    with suppress(psutil.NoSuchProcess), frozen(chance.choice(found), _HELD_SECONDS):
        return True
    return False


def _always(action: Callable[[Rig], object]) -> Fault:
    def do(rig: Rig, _chance: random.Random) -> bool:
        action(rig)
        return True

    return do


def _node_errors(rig: Rig, chance: random.Random) -> bool:
    rig.lab.proxmox.add("error", method="POST", times=chance.randint(1, 3), message="internal error")
    return True


def _node_locks(rig: Rig, chance: random.Random) -> bool:
    rig.lab.proxmox.add("lock", method="POST", times=chance.randint(1, 3))
    return True


def _answers_lost(rig: Rig, chance: random.Random) -> bool:
    """The node makes the guest, and nobody hears of it."""
    path = chance.choice(["*/lxc", "*/clone"])
    rig.lab.proxmox.add("lose_answer", method="POST", path=path, times=1)
    return True


def _slow_tasks(rig: Rig, _chance: random.Random) -> bool:
    rig.lab.proxmox.set_task_delay(1.5)
    time.sleep(_HELD_SECONDS)
    rig.lab.proxmox.set_task_delay(0)
    return True


def _dns_errors(rig: Rig, chance: random.Random) -> bool:
    rig.lab.cloudflare.add("error", method="POST", times=chance.randint(1, 3), status=500)
    return True


def _stripe_errors(rig: Rig, chance: random.Random) -> bool:
    rig.lab.stripe.add("error", path="*/refunds*", times=chance.randint(1, 3), status=503)
    return True


def _webhooks_twice(rig: Rig, _chance: random.Random) -> bool:
    """Hold events back, then send all of them three times, at once, in the wrong order."""
    rig.lab.stripe.set_webhooks("hold")
    time.sleep(_HELD_SECONDS)
    rig.lab.stripe.set_webhooks("deliver")
    return bool(rig.lab.stripe.release(order="reversed", copies=3, simultaneous=True))


def _webhooks_lost(rig: Rig, _chance: random.Random) -> bool:
    rig.lab.stripe.set_webhooks("drop")
    time.sleep(_HELD_SECONDS)
    rig.lab.stripe.set_webhooks("deliver")
    return True


def _guest_switched_off(rig: Rig, chance: random.Random) -> bool:
    """Somebody switches a guest off at its node."""
    guests = [guest for guest in rig.truth.guests() if guest.status == "running"]
    if not guests:
        return False
    guest = chance.choice(guests)
    with suppress(ResourceException):
        getattr(rig.truth.node(guest.node).nodes(guest.node), guest.kind)(guest.vmid).status.stop.post()
    return True


def _record_edited(rig: Rig, chance: random.Random) -> bool:
    """Somebody writes another address into a record by hand."""
    zone = rig.document.cloudflare
    headers = {"Authorization": f"Bearer {zone.api_token}"}
    base = f"{zone.base_url.rstrip('/')}/zones/{zone.zone_id}/dns_records"
    records = httpx.get(base, headers=headers, params={"type": "A"}).raise_for_status().json()["result"]
    if not records:
        return False
    record = chance.choice(records)
    answer = httpx.patch(f"{base}/{record['id']}", headers=headers, json={"content": "192.0.2.1"})
    return answer.is_success


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "worker process killed": _kill_one(Rig.worker_children),
        "worker's host loses power": _always(Rig.cut_power_of_worker),
        "engine killed": _kill_one(Rig.engines),
        "provider plugin killed": _kill_one(Rig.plugins),
        "worker frozen beyond its lease": _freeze_worker,
        "engine frozen": _freeze_engine,
        "Redis flushed": _always(Rig.flush_redis),
        "Redis killed and started": _always(Rig.restart_redis),
        "PostgreSQL killed and started": _always(Rig.restart_postgres),
        "node answers 500": _node_errors,
        "node says it cannot lock": _node_locks,
        "node's answer lost": _answers_lost,
        "node's tasks slow": _slow_tasks,
        "DNS provider answers 500": _dns_errors,
        "payment provider refuses refunds": _stripe_errors,
        "webhooks three times, reversed, at once": _webhooks_twice,
        "webhooks lost": _webhooks_lost,
        "guest switched off by hand": _guest_switched_off,
        "DNS record edited by hand": _record_edited,
    }
)
"""Every kind, by the name that it has in the report."""


def thaw(rig: Rig) -> None:
    """Let everything go on that may still be stopped, and heal the lab."""
    for process in rig.worker_children() + rig.engines():
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)
    rig.lab.heal()
    rig.lab.stripe.release(copies=1)
