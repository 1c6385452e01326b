"""From a queued operation to its result: on real PostgreSQL, with a fake engine and fake nodes."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.jobs import Job
from api.operations.models import Operation, OperationStatus
from api.operations.results import EngineTrace
from api.orders.models import OrderStatus
from api.vault import Vault, generate_key
from api.workloads.models import WorkloadStatus
from automation.engine.contract import EngineAction, EngineOutcome
from automation.operations.guests import GuestFacts
from components.specs import parse_guest_spec
from tests.factories.orders import GAME_SERVER
from tests.fixtures.operations import PER_NODE, POLICY
from tests.fixtures.runner import RunnerRig
from tests.fixtures.shop import EVERYTHING, NOTHING


@pytest.fixture
def rig(runner_rig: RunnerRig) -> RunnerRig:
    """Return a worker's runner in a stocked shop."""
    return runner_rig


def _operation(rig: RunnerRig, order_id: UUID) -> Operation:
    return rig.desk.latest(order_id)


def _messages(rig: RunnerRig, order_id: UUID) -> list[tuple[int, str]]:
    return [(line.attempt, line.kind) for line in rig.desk.lines(_operation(rig, order_id).id)]


class TestDelivery:
    def test_a_paid_order_is_brought_up_verified_and_delivered(self, rig: RunnerRig) -> None:
        """The engine does the work, the node confirms it, and the log tells it in order."""
        order_id = rig.delivered()
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.RUNNING
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
        assert rig.desk.guest(order_id).is_running
        operation = _operation(rig, order_id)
        assert (operation.status, operation.engine, operation.pulumi_processes) == (OperationStatus.SUCCEEDED, None, 3)
        assert _messages(rig, order_id) == [(1, "begin"), (1, "plan"), (1, "summary"), (1, "end")]

    def test_the_engine_gets_the_workloads_stack_and_spec_and_no_secret(self, rig: RunnerRig) -> None:
        """Credentials travel beside the job, which is written to disk as it is."""
        order_id = rig.delivered()
        workload, job = rig.desk.shop.workload(order_id), rig.engine.runs[0].job
        assert (job.stack, job.action, job.spec) == (workload.stack, EngineAction.UP, workload.desired)
        passphrase = rig.desk.shop.vault.open(workload.passphrase_encrypted)
        for secret in (passphrase, "slipway@pve!test=", rig.settings.cloudflare_api_token.get_secret_value()):
            assert secret not in repr(job)

    def test_an_operation_that_is_not_due_is_left_alone(self, rig: RunnerRig) -> None:
        """A hint that comes too early or too often starts no engine."""
        order_id = rig.delivered()
        assert rig.runner().run(_operation(rig, order_id).id) is False
        assert len(rig.engine.runs) == 1

    def test_two_workers_with_the_same_hint_start_one_engine(self, rig: RunnerRig) -> None:
        """A redelivered message finds the operation at work, and goes home."""
        order_id = rig.desk.shop.place_paid()
        with rig.at_work(order_id) as (gate, work):
            assert rig.runner("worker-2").run(_operation(rig, order_id).id) is False
            gate.open()
            assert work.result()
        assert len(rig.engine.runs) == 1

    def test_a_machine_that_is_to_be_stopped_shuts_itself_down_first(self, rig: RunnerRig) -> None:
        """Its programs may save what they hold; only a new one, or one that is to run, is not asked."""
        order_id = rig.delivered()
        assert rig.guests.shutdowns == []
        rig.desk.power(order_id, started=False)
        rig.run(order_id)
        workload = rig.desk.shop.workload(order_id)
        assert [vmid for _, vmid in rig.guests.shutdowns] == [workload.vmid]
        assert workload.status is WorkloadStatus.STOPPED
        assert _messages(rig, order_id)[:3] == [(1, "begin"), (1, "plan"), (1, "guest")]

    def test_a_guest_that_does_not_react_is_switched_off_and_its_owner_told(self, rig: RunnerRig) -> None:
        """A hung guest must not keep its owner from stopping it."""
        order_id = rig.delivered()
        rig.guests.is_obedient = False
        rig.desk.power(order_id, started=False)
        rig.run(order_id)
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.STOPPED
        lines = rig.desk.lines(_operation(rig, order_id).id)
        assert any("does not react" in line.message for line in lines)

    def test_a_container_is_left_to_the_engine_which_asks_it_to_shut_down(self, rig: RunnerRig) -> None:
        """The node refuses to shut down what is off already, so it is asked once."""
        order_id = rig.delivered(**GAME_SERVER)
        rig.desk.power(order_id, started=False)
        rig.run(order_id)
        assert rig.guests.shutdowns == []
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.STOPPED
        assert _messages(rig, order_id) == [(1, "begin"), (1, "plan"), (1, "summary"), (1, "end")]

    def test_the_engine_looks_first_at_a_container_that_is_to_be_stopped_and_is_off(self, rig: RunnerRig) -> None:
        """Plan and update see what the node says, not what the stack remembers, and its owner is told."""
        order_id = rig.delivered(**GAME_SERVER)
        workload = rig.desk.shop.workload(order_id)
        rig.guests.is_hidden = True
        rig.guests.switch(workload.desired["placement"]["node"], workload.vmid, is_running=False)
        rig.desk.power(order_id, started=False)
        rig.run(order_id)
        assert [run.job.refresh for run in (rig.engine.previews[-1], rig.engine.runs[-1])] == [True, True]
        assert any("off already" in line.message for line in rig.desk.lines(_operation(rig, order_id).id))
        assert _operation(rig, order_id).status is OperationStatus.SUCCEEDED

    def test_no_other_operation_makes_the_engine_look_first(self, rig: RunnerRig) -> None:
        """Neither a delivery, nor a start, nor the stop of a machine, which the provider itself looks at first."""
        order_id = rig.delivered()
        for started in (False, True):
            rig.desk.power(order_id, started=started)
            rig.run(order_id)
        other = rig.delivered(**GAME_SERVER)
        for started in (False, True):
            rig.desk.power(other, started=started)
            rig.run(other)
        assert [run.job.refresh for run in (*rig.engine.previews, *rig.engine.runs)] == [False] * 12

    def test_stop_start_and_reboot(self, rig: RunnerRig) -> None:
        """Each verb ends in what the node says."""
        order_id = rig.delivered()
        rig.desk.power(order_id, started=False)
        rig.run(order_id)
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.STOPPED
        assert rig.desk.guest(order_id).is_running is False
        rig.desk.power(order_id, started=True)
        rig.run(order_id)
        rig.desk.reboot(order_id)
        rig.run(order_id)
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.RUNNING
        workload = rig.desk.shop.workload(order_id)
        assert rig.guests.reboots == [(workload.desired["placement"]["node"], workload.vmid)]
        assert [run.job.action for run in rig.engine.runs] == [EngineAction.UP] * 3


class TestForeignGuest:
    BOT: Mapping[str, Any] = MappingProxyType(
        {"product": "bot", "size": "nano", "template": "python-bot", "ssh_keys": ()}
    )

    def _put(self, rig: RunnerRig, order_id: UUID, tags: frozenset[str]) -> None:
        """Have a guest at the workload's number, and no other one."""
        workload = rig.desk.shop.workload(order_id)
        rig.guests.is_hidden = True
        facts = GuestFacts(workload.vmid, "x", is_running=True, tags=tags)
        rig.guests.put(workload.desired["placement"]["node"], facts)

    def test_a_container_of_somebody_elses_is_not_taken_for_ours(self, rig: RunnerRig) -> None:
        """F36: its provider would adopt it; no engine is started, the order is paid back, the guest stays."""
        order_id = rig.desk.shop.place_paid(**self.BOT)
        self._put(rig, order_id, frozenset({"by-hand"}))
        rig.run(order_id)
        assert rig.engine.runs == []
        assert rig.desk.shop.operations(order_id)[0].error_code == "identity_conflict"
        assert rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE

    def test_one_of_ours_that_an_earlier_attempt_left_is_gone_on_with(self, rig: RunnerRig) -> None:
        """It bears the order's tag from its first moment on."""
        order_id = rig.desk.shop.place_paid(**self.BOT)
        spec = parse_guest_spec(rig.desk.shop.workload(order_id).desired)
        self._put(rig, order_id, frozenset(spec.tags))
        rig.run(order_id)
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED


class TestVerification:
    @pytest.mark.parametrize(
        ("changes", "code", "left"),
        [
            ({"is_running": False}, "guest_power", "queued"),
            ({"tags": frozenset({"slipway"})}, "identity_conflict", "failed"),
        ],
    )
    def test_the_node_is_believed_and_not_the_engine(
        self, rig: RunnerRig, changes: dict[str, object], code: str, left: str
    ) -> None:
        """A wrong power state may still come right; a guest that is not ours never will."""
        order_id = rig.desk.shop.place_paid()
        rig.guests.changes = changes
        rig.run(order_id)
        first = rig.desk.shop.operations(order_id)[0]
        assert (first.error_code, first.status) == (code, left)
        assert rig.desk.shop.order(order_id).status is not OrderStatus.DELIVERED

    def test_a_guest_that_the_node_does_not_know_is_not_delivered(self, rig: RunnerRig) -> None:
        """And is looked for again by the next attempt, which finds it."""
        order_id = rig.desk.shop.place_paid()
        rig.guests.is_hidden = True
        rig.run(order_id)
        assert _operation(rig, order_id).error_code == "guest_missing"
        rig.guests.is_hidden = False
        rig.run(order_id)
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_a_node_that_does_not_answer_is_asked_again_later(self, rig: RunnerRig) -> None:
        """What the engine did is on the account all the same."""
        order_id = rig.desk.shop.place_paid()
        rig.guests.is_reachable = False
        rig.run(order_id)
        operation = _operation(rig, order_id)
        assert (operation.status, operation.error_code) == (OperationStatus.QUEUED, "node_unreachable")
        assert (operation.pulumi_processes, operation.engine) == (3, None)

    def test_a_reboot_of_a_node_that_does_not_answer_is_tried_again(self, rig: RunnerRig) -> None:
        """The workload runs on."""
        order_id = rig.delivered()
        rig.desk.reboot(order_id)
        rig.guests.is_reachable = False
        rig.run(order_id)
        assert _operation(rig, order_id).error_code == "node_unreachable"
        rig.guests.is_reachable = True
        rig.run(order_id)
        assert _operation(rig, order_id).status is OperationStatus.SUCCEEDED


class TestDestroy:
    def test_cancelling_takes_guest_addresses_and_label_away(self, rig: RunnerRig) -> None:
        """The stack goes, the node confirms it, then the reservations are let go."""
        order_id = rig.delivered()
        rig.desk.cancel(order_id)
        rig.run(order_id)
        assert rig.engine.stacks == {}
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.DELETED
        assert rig.desk.shop.held(order_id) == NOTHING

    def test_an_order_that_is_cancelled_in_the_queue_never_sees_an_engine(self, rig: RunnerRig) -> None:
        """There is no stack to destroy; the node is asked all the same."""
        order_id = rig.desk.shop.place_paid()
        rig.desk.cancel(order_id)
        rig.run(order_id)
        assert rig.engine.runs == []
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.DELETED
        assert rig.desk.shop.held(order_id) == NOTHING

    def test_cancelling_at_work_lets_the_engine_end_and_destroys_what_it_made(self, rig: RunnerRig) -> None:
        """The destroy is hinted at at once, and the order is never called delivered."""
        order_id = rig.desk.shop.place_paid()
        with rig.at_work(order_id) as (gate, work):
            rig.desk.cancel(order_id)
            gate.open()
            work.result()
        following = _operation(rig, order_id)
        assert (following.id,) in rig.desk.shop.jobs.of(Job.RUN_OPERATION)
        rig.run(order_id)
        assert [run.job.action for run in rig.engine.runs] == [EngineAction.UP, EngineAction.DESTROY]
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.DELETED
        assert rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE

    def test_what_the_node_still_has_is_not_let_go(self, rig: RunnerRig) -> None:
        """The engine says it is gone, the node says it is not: everything stays held and a person has to look."""
        order_id = rig.delivered()
        node = rig.desk.shop.workload(order_id).desired["placement"]["node"]
        rig.desk.cancel(order_id)
        rig.guests.is_hidden = True
        assert (node, rig.desk.shop.workload(order_id).vmid) in rig.guests.guests
        for _ in range(POLICY.attempts):
            rig.run(order_id)
        assert rig.desk.kinds(order_id)[-1] == ("destroy", "failed")
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
        assert rig.desk.shop.held(order_id) == EVERYTHING


class TestFailures:
    def test_a_failure_is_tried_again_after_a_recovery(self, rig: RunnerRig) -> None:
        """Whatever the failed engine left, a lock or half a step, is tidied up before the next one starts."""
        order_id = rig.desk.shop.place_paid()
        rig.engine.fail_next("proxmox_locked", retryable=True)
        rig.run(order_id)
        assert _operation(rig, order_id).status is OperationStatus.QUEUED
        rig.run(order_id)
        assert rig.engine.recovered == [rig.desk.shop.workload(order_id).stack]
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
        assert _messages(rig, order_id) == [
            (1, "begin"), (1, "plan"), (1, "diagnostic"), (1, "end"), (1, "retry"),
            (2, "begin"), (2, "recover"), (2, "plan"), (2, "summary"), (2, "end"),
        ]  # fmt: skip

    def test_an_order_that_cannot_be_delivered_is_refunded_and_taken_away(self, rig: RunnerRig) -> None:
        """The refund and the destroy are both hinted at; the destroy begins with a recovery too."""
        order_id = rig.desk.shop.place_paid()
        rig.engine.fail_next("template_missing", retryable=False)
        rig.run(order_id)
        assert rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
        assert rig.desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]
        assert rig.desk.shop.jobs.of(Job.PAY_REFUNDS)
        rig.run(order_id)
        assert rig.engine.recovered == [rig.desk.shop.workload(order_id).stack]
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.DELETED

    def test_an_engine_host_that_is_away_is_asked_again_later(self, rig: RunnerRig) -> None:
        """Nothing has happened to the stack."""
        order_id = rig.desk.shop.place_paid()
        rig.engine.refuse_next()
        rig.run(order_id)
        assert _operation(rig, order_id).error_code == "engine_unavailable"
        rig.run(order_id)
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_a_defect_of_ours_ends_the_attempt_and_is_bounded(self, rig: RunnerRig) -> None:
        """A secret that no key opens raises deep inside; the operation must not spin for ever."""
        order_id = rig.desk.shop.place_paid()
        original, rig.desk.shop.vault = rig.desk.shop.vault, Vault(generate_key())
        rig.run(order_id)
        operation = _operation(rig, order_id)
        assert (operation.status, operation.error_code) == (OperationStatus.QUEUED, "internal")
        assert operation.error_detail == "Something went wrong on our side."
        rig.desk.shop.vault = original
        rig.run(order_id)
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_an_operation_that_kills_its_workers_is_given_up(self, rig: RunnerRig) -> None:
        """Each worker died without a word; the next does not even begin, and the customer gets the money back."""
        order_id = rig.desk.shop.place_paid()
        for number in range(POLICY.attempts):
            rig.desk.lapse(rig.desk.begun(order_id, f"worker-{number}").operation_id)
        rig.runner().run(_operation(rig, order_id).id)
        assert rig.engine.runs == []
        assert rig.desk.shop.operations(order_id)[0].error_code == "attempts_exhausted"
        assert rig.desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]
        assert rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE

    def test_a_destroy_that_kills_its_workers_asks_for_help(self, rig: RunnerRig) -> None:
        """Everything stays held."""
        order_id = rig.delivered()
        rig.desk.cancel(order_id)
        for number in range(POLICY.attempts):
            rig.desk.lapse(rig.desk.begun(order_id, f"worker-{number}").operation_id)
        rig.runner().run(_operation(rig, order_id).id)
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
        assert rig.desk.shop.held(order_id) == EVERYTHING


class TestTakeover:
    def test_an_engine_that_outlived_its_worker_is_waited_for_and_its_result_used(self, rig: RunnerRig) -> None:
        """No second engine, no recovery; its log is told by the worker that took over."""
        order_id = rig.desk.shop.place_paid()
        run = rig.orphan(order_id)
        assert rig.runner("worker-2").run(_operation(rig, order_id).id)
        assert rig.engine.runs == [run]
        assert rig.engine.recovered == []
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
        assert _messages(rig, order_id)[-4:] == [(2, "begin"), (2, "recover"), (2, "summary"), (2, "end")]

    def test_an_engine_that_was_killed_is_recovered_and_the_work_begun_again(self, rig: RunnerRig) -> None:
        """Its lock is removed only now that it is certainly dead."""
        order_id = rig.desk.shop.place_paid()
        run = rig.orphan(order_id)
        rig.engine.terminate(run.process)
        rig.runner("worker-2").run(_operation(rig, order_id).id)
        assert rig.engine.recovered == [rig.desk.shop.workload(order_id).stack]
        assert len(rig.engine.runs) == 2
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_an_engine_on_another_host_is_waited_for_without_spending_attempts(self, rig: RunnerRig) -> None:
        """It may be alive: neither a second engine nor a recovery may touch the stack, and the record stays."""
        order_id = rig.desk.shop.place_paid()
        run = rig.orphan(order_id, host="another-host")
        for _ in range(POLICY.attempts + 1):
            rig.run(order_id)
            rig.desk.make_due(_operation(rig, order_id).id)
        operation = _operation(rig, order_id)
        assert (operation.status, operation.error_code) == (OperationStatus.QUEUED, "engine_of_unknown_fate")
        assert operation.engine is not None
        assert operation.engine["process"]["host"] == "another-host"
        assert rig.engine.runs == [run]
        assert rig.engine.recovered == []

    def test_the_destroy_of_a_given_up_operation_waits_for_an_engine_on_another_host(self, rig: RunnerRig) -> None:
        """The record goes on to the operation that follows, whatever ended the one before."""
        order_id = rig.desk.shop.place_paid()
        rig.orphan(order_id, host="another-host")
        rig.desk.past_deadline(_operation(rig, order_id).id)
        rig.run(order_id)
        assert rig.desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]
        rig.run(order_id)
        assert _operation(rig, order_id).error_code == "engine_of_unknown_fate"
        assert [run.job.action for run in rig.engine.runs] == [EngineAction.UP]

    def test_the_success_of_another_goal_is_not_taken_for_ours(self, rig: RunnerRig) -> None:
        """An engine that was stopping the guest has ended well; the customer wants it started by now."""
        order_id = rig.delivered()
        rig.desk.power(order_id, started=False)
        run = rig.orphan(order_id)
        lease = rig.desk.lease(order_id, "worker-2")
        rig.desk.power(order_id, started=True)
        rig.desk.fail(lease, is_wait=True, engine=EngineTrace.UNKNOWN)
        rig.run(order_id)
        assert [found.job.spec["started"] for found in rig.engine.runs] == [True, False, True]
        assert run.result is not None
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.RUNNING

    def test_a_worker_that_died_before_its_engine_was_on_record_has_left_none(self, rig: RunnerRig) -> None:
        """The child begins only once its identity is stored, so a fresh start is safe."""
        order_id = rig.desk.shop.place_paid()
        rig.desk.lapse(rig.desk.begun(order_id, "dead-worker").operation_id)
        rig.run(order_id)
        assert len(rig.engine.runs) == 1
        assert rig.engine.runs[0].job.stack_may_exist is True
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_a_recovery_is_on_record_before_it_begins(self, rig: RunnerRig) -> None:
        """A worker that dies or loses its lease over it must not leave an engine that nobody knows of."""
        order_id = rig.desk.shop.place_paid()
        rig.engine.fail_next("engine_killed", retryable=True)
        rig.run(order_id)
        gate = rig.engine.hold_recovery()
        rig.desk.make_due(_operation(rig, order_id).id)
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(rig.runner(lease_seconds=3).run, _operation(rig, order_id).id)
            assert gate.started.wait(30)
            record = _operation(rig, order_id).engine
            second = rig.desk.take_over(_operation(rig, order_id).id)
            assert work.result(60)
        recovery = rig.engine.recoveries[0]
        assert record is not None
        assert record["process"]["pid"] == recovery.process.pid
        assert second.previous_engine == record
        assert recovery.result is not None
        assert recovery.result.outcome is EngineOutcome.CANCELLED
        assert len(rig.engine.runs) == 1

    def test_a_recovery_that_was_cut_off_is_ended_and_made_again(self, rig: RunnerRig) -> None:
        """Two recoveries of one stack would undo each other's locks."""
        order_id = rig.desk.shop.place_paid()
        cut_off = rig.orphan(order_id, recovery=True)
        rig.run(order_id)
        assert cut_off.killed
        assert len(rig.engine.recoveries) == 2
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED


class TestLostLease:
    def test_a_worker_that_lost_its_lease_interrupts_its_engine_and_drops_the_result(self, rig: RunnerRig) -> None:
        """A zombie writes nothing and lets nothing work on."""
        order_id = rig.desk.shop.place_paid()
        with rig.at_work(order_id, lease_seconds=3) as (_gate, work):
            rig.desk.take_over(_operation(rig, order_id).id)
            assert work.result(60)
        result = rig.engine.runs[0].result
        assert result is not None
        assert result.outcome is EngineOutcome.CANCELLED
        operation = _operation(rig, order_id)
        assert (operation.status, operation.lease_owner, operation.fence) == (OperationStatus.RUNNING, "worker-2", 2)
        assert _messages(rig, order_id) == [(1, "begin"), (1, "plan")]

    def test_a_result_that_comes_after_the_lease_was_lost_is_dropped(self, rig: RunnerRig) -> None:
        """Even a success: the other worker's fence is higher."""
        order_id = rig.desk.shop.place_paid()
        with rig.at_work(order_id) as (gate, work):
            rig.desk.take_over(_operation(rig, order_id).id)
            gate.open()
            assert work.result(60)
        assert rig.desk.shop.workload(order_id).status is WorkloadStatus.PROVISIONING
        assert rig.desk.shop.order(order_id).status is OrderStatus.PAID

    def test_a_database_that_cuts_all_connections_does_not_end_the_engines_work(self, rig: RunnerRig) -> None:
        """The next renewal and the result make new connections."""
        order_id = rig.desk.shop.place_paid()
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        with rig.at_work(order_id) as (gate, work):
            as_owner = f"SET LOCAL ROLE NONE; {cut} AND datname = current_database()"
            rig.desk.shop.change(lambda session: session.execute(text(as_owner)))
            gate.open()
            assert work.result(60)
        assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED


class TestHints:
    def test_room_on_a_node_is_offered_to_what_waits_for_it(self, rig: RunnerRig) -> None:
        """A hint that found the node busy is spent; so the worker that makes room sends another."""
        orders = [rig.desk.shop.place_paid() for _ in range(PER_NODE + 1)]
        for order_id in orders[1:PER_NODE]:
            rig.desk.begun(order_id, "worker-2")
        waiting = _operation(rig, orders[-1])
        with rig.at_work(orders[0]) as (gate, work):
            assert rig.runner("worker-3").run(waiting.id) is False
            rig.desk.shop.jobs.sent.clear()
            gate.open()
            work.result()
        assert rig.desk.shop.jobs.of(Job.RUN_OPERATION) == [(waiting.id,)]
