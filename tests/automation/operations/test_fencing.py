"""Hosts that were declared dead: the way on for what waits for an engine that nobody here can look at."""

from typing import Any
from uuid import UUID

import pytest

from api.audit.models import AuditRecord
from api.errors import NotFound
from api.operations.hosts import FencedHost
from api.operations.models import Operation, OperationStatus
from api.orders.models import OrderStatus
from automation.engine.contract import EngineProcess
from automation.operations.fencing import DatabaseFences, HostAlive, HostFencing, WorkerHost
from tests.fixtures.runner import RunnerRig

DEAD = "dead-host"


@pytest.fixture
def rig(runner_rig: RunnerRig) -> RunnerRig:
    """Return a worker's runner in a stocked shop."""
    return runner_rig


def fence(rig: RunnerRig, host: str = DEAD, here: str = "here") -> WorkerHost:
    """Declare a host dead."""
    return rig.desk.shop.change(lambda session: HostFencing(session).fence(host, here, "ada", "it burns"))


def hosts(rig: RunnerRig) -> dict[str, WorkerHost]:
    """Return all hosts by name."""
    return {host.name: host for host in rig.desk.shop.change(lambda session: HostFencing(session).hosts())}


def waiting(rig: RunnerRig, host: str = DEAD) -> UUID:
    """Return an order whose operation waits for an engine on another host, as it has found out."""
    order_id = rig.desk.shop.place_paid()
    rig.orphan(order_id, host=host)
    rig.run(order_id)
    assert rig.desk.latest(order_id).error_code == "engine_of_unknown_fate"
    return order_id


def work(rig: RunnerRig, order_id: UUID) -> Operation:
    """Have a worker look at the newest operation if it is due by itself; returns it as it is then."""
    rig.runner().run(rig.desk.latest(order_id).id)
    return rig.desk.latest(order_id)


def test_after_the_declaration_the_work_goes_on(rig: RunnerRig) -> None:
    """At once: the stack is recovered, as after a proven death, and the order delivered."""
    order_id = waiting(rig)

    fence(rig)

    assert work(rig, order_id).status is OperationStatus.SUCCEEDED
    assert rig.engine.recovered == [rig.desk.shop.workload(order_id).stack]
    assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED


def test_another_hosts_engine_is_still_waited_for(rig: RunnerRig) -> None:
    """One host's death says nothing about another's."""
    order_id = waiting(rig)
    waiting(rig, "other-host")

    fence(rig, "other-host")
    rig.run(order_id)

    assert rig.desk.latest(order_id).error_code == "engine_of_unknown_fate"
    assert rig.engine.recovered == []


def test_a_later_boot_of_the_host_is_another(rig: RunnerRig) -> None:
    """It was repaired and works again: its new engines are not dead because the old ones were."""
    waiting(rig)
    fence(rig)
    fences = DatabaseFences(rig.desk.shop.database, "here", "boot")

    assert fences.is_dead(EngineProcess(DEAD, "other-boot", 7, 7)) is True
    assert fences.is_dead(EngineProcess(DEAD, "the-next-boot", 7, 7)) is False


def test_a_host_is_never_dead_to_itself(rig: RunnerRig) -> None:
    """Its own process table knows better."""
    waiting(rig)
    fence(rig)
    own = DatabaseFences(rig.desk.shop.database, DEAD, "other-boot")

    assert own.is_dead(EngineProcess(DEAD, "other-boot", 7, 7)) is False
    assert own.is_here() is True
    assert DatabaseFences(rig.desk.shop.database, DEAD, "the-next-boot").is_here() is False


def test_a_fenced_host_that_lives_takes_nothing(rig: RunnerRig) -> None:
    """Else its new engines would be taken for dead ones; a restart gives it another boot, and it works again."""
    order_id = waiting(rig)
    fence(rig)
    rig.desk.shop.change(lambda session: session.add(_declared("fake-host", rig.boot_id)))

    assert rig.runner().run(rig.desk.latest(order_id).id) is False
    rig.boot_id = "the-next-boot"
    assert work(rig, order_id).status is OperationStatus.SUCCEEDED


def test_this_host_cannot_be_declared_dead(rig: RunnerRig) -> None:
    """Whoever says so stands on it."""
    waiting(rig)
    with pytest.raises(HostAlive, match="is this host"):
        fence(rig, here=DEAD)
    assert rig.desk.shop.all(FencedHost) == []


def test_a_host_with_a_valid_lease_is_not_dead(rig: RunnerRig) -> None:
    """Its worker has renewed it; once it has run out, the declaration is taken."""
    order_id = rig.desk.shop.place_paid()
    lease = rig.desk.begun(order_id, f"{DEAD}:4711")
    with pytest.raises(HostAlive, match="1 lease") as caught:
        fence(rig)
    rig.desk.lapse(lease.operation_id)

    assert caught.value.code == "host_alive"
    assert [declared.boot_id for declared in fence(rig).fenced] == [None]


def test_an_unknown_host_is_refused_with_those_that_are_known(rig: RunnerRig) -> None:
    """A slip of the pen must not look like success."""
    waiting(rig)
    with pytest.raises(NotFound, match=f"known are: .*{DEAD}"):
        fence(rig, "daed-host")


def test_a_second_declaration_adds_to_the_record_and_changes_nothing(rig: RunnerRig) -> None:
    """One row a boot."""
    order_id = waiting(rig)
    fence(rig)
    fence(rig)
    boots = [declared.boot_id for declared in rig.desk.shop.all(FencedHost)]
    assert boots == ["other-boot", None]
    assert work(rig, order_id).status is OperationStatus.SUCCEEDED


def test_the_list_tells_what_is_known_of_each_host(rig: RunnerRig) -> None:
    """Leases, the last one's end, engines whose end nobody saw, and what was declared, by whom and why."""
    waiting(rig)
    rig.desk.begun(rig.desk.shop.place_paid(), "busy-host:1")
    fence(rig)

    found = hosts(rig)

    assert (found["busy-host"].leases, found["busy-host"].boots, found["busy-host"].fenced) == (1, [], [])
    assert (found[DEAD].leases, found[DEAD].boots) == (0, ["other-boot"])
    assert [(each.declared_by, each.reason) for each in found[DEAD].fenced] == [("ada", "it burns")]


def test_a_declaration_is_audited(rig: RunnerRig) -> None:
    """Who and why, for good."""
    waiting(rig)
    fence(rig)
    (entry,) = [each for each in rig.desk.shop.all(AuditRecord) if each.action == "host.fence"]
    assert (entry.subject_id, entry.reason) == (DEAD, "it burns")


def test_an_engine_whose_end_was_seen_is_not_waited_for(rig: RunnerRig) -> None:
    """Wherever it ran: the worker that saw it end has left nothing of it behind, and the stack is tidied up here."""
    order_id = waiting(rig)
    rig.desk.shop.change(lambda session: _mark_ended(session.get_one(Operation, rig.desk.latest(order_id).id)))

    rig.run(order_id)

    assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert len(rig.engine.recovered) == 1


def _mark_ended(operation: Operation) -> None:
    operation.engine = {**(operation.engine or {}), "ended": True}


def _declared(host: str, boot_id: str) -> FencedHost:
    fields: dict[str, Any] = {"declared_by": "ada", "reason": "by mistake"}
    return FencedHost(host=host, boot_id=boot_id, **fields)
