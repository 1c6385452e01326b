"""Engines killed in the middle of a create: one guest in the end, and nothing that nobody knows of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from automation.engine.contract import EngineAction, EngineJob, EngineOutcome, EngineResult
from lab.client import RunningLab
from lab.faults.client import StandInControl
from tests.fixtures.engine import Rig, until
from tests.fixtures.lab_workloads import credentials, spec_of

pytestmark = pytest.mark.engine


@dataclass(slots=True)
class Order:
    """One workload of the lab on the real engine."""

    rig: Rig
    lab: RunningLab
    spec: Any

    def job(self, action: EngineAction = EngineAction.UP, **more: Any) -> EngineJob:
        """Return a job on the order's stack."""
        return self.rig.job(action, self.spec.model_dump(mode="json"), **more)

    def run(self, action: EngineAction) -> EngineResult:
        """Run an operation to its end."""
        return self.rig.run(self.job(action))

    def killed_at(self, control: StandInControl, **fault: Any) -> EngineJob:
        """Start an `up`, kill every process of it once a request has hit the fault, and return the dead job."""
        job = self.job(stack_may_exist=False)
        with control.during(**fault) as rule:
            run = self.rig.engine.start(job, self.rig.secrets)
            done = self.rig.follow(run)
            until(lambda: any(known.id == rule.id and known.hits for known in control.all()))
            assert self.rig.engine.terminate(run.process)
        assert done.result().failure is not None
        assert self.rig.engine.is_alive(run.process) is False
        return job

    def killed_before_the_save(self, control: StandInControl, made: Callable[[], bool], **fault: Any) -> EngineJob:
        """Start an `up`, and kill it when a request has been answered but the engine could not save that yet."""
        job = self.job(stack_may_exist=False)
        with psycopg.connect(self.rig.secrets.backend_url) as state:
            with control.during("freeze", **fault) as rule:
                run = self.rig.engine.start(job, self.rig.secrets)
                done = self.rig.follow(run)
                until(lambda: any(known.id == rule.id and known.hits for known in control.all()))
                state.execute("LOCK TABLE pulumi_state IN EXCLUSIVE MODE")
            until(made)
            assert self.rig.engine.terminate(run.process)
        assert done.result().failure is not None
        return job

    def assert_delivered_once(self) -> None:
        """One guest, running, as ordered, with its records; state and world agree."""
        guests = self.lab.truth.guests()
        assert [(guest.vmid, guest.status, guest.tags) for guest in guests] == [
            (self.spec.placement.vmid, "running", self.spec.tags)
        ]
        assert {kind for _, kind in self.lab.truth.records(self.spec.dns.fqdn)} == {"A", "AAAA"}
        for action in (EngineAction.PREVIEW, EngineAction.PREVIEW_REFRESH):
            result = self.run(action)
            assert (result.outcome, set(result.changes)) == (EngineOutcome.SUCCEEDED, {"same"}), (action, result)

    def assert_removed(self) -> None:
        """Destroy leaves nothing."""
        assert self.run(EngineAction.DESTROY).outcome is EngineOutcome.SUCCEEDED
        assert self.lab.truth.guests() == []
        assert self.lab.truth.records(self.spec.dns.fqdn) == {}


@pytest.fixture
def order(rig: Rig, lab: RunningLab) -> Callable[[str], Order]:
    """Return a maker of orders."""

    def make(kind: str) -> Order:
        spec = spec_of(kind, lab)
        secrets = replace(rig.secrets, provider_environment=credentials(lab, spec))
        workload = rig.using("automation.engine.programs:workload", keep_directories=True)
        return Order(replace(workload, secrets=secrets), lab, spec)

    return make


CRASHES = [
    pytest.param("cloud_vm", "POST", "*/clone", 0, id="before the clone is made"),
    pytest.param("cloud_vm", "PUT", "*/qemu/*/config", 0, id="cloned, not configured"),
    pytest.param("cloud_vm", "PUT", "*/resize", 1, id="configured, disk not grown"),
    pytest.param("cloud_vm", "POST", "*/status/start", 1, id="made, not started"),
    pytest.param("cloud_vm", "GET", "*/qemu/*/status/current", None, id="some time in between"),
    pytest.param("minecraft", "POST", "*/lxc", 0, id="before the container is made"),
    pytest.param("minecraft", "GET", "*/lxc/*/status/current", 1, id="container made, answer not seen"),
    pytest.param("cloud_vm", "POST", "*/firewall/ipset/*", None, id="address set half written"),
    pytest.param("cloud_vm", "POST", "*/firewall/rules", None, id="rules half written"),
    pytest.param("cloud_vm", "PUT", "*/firewall/options", None, id="options not written"),
]


@pytest.mark.parametrize(("kind", "method", "path", "imported"), CRASHES)
def test_an_engine_killed_in_mid_create_ends_with_one_guest(
    order: Callable[[str], Order],
    kind: str,
    method: str,
    path: str,
    imported: int | None,
) -> None:
    """Wherever the engine dies: recovery finds what is there, and the next `up` makes the rest and no second guest."""
    workload = order(kind)
    job = workload.killed_at(workload.lab.faults.proxmox, kind="freeze", method=method, path=path)

    recovered = workload.rig.engine.recover(job, workload.rig.secrets).wait(lambda _: None, lambda: True)
    resumed = workload.run(EngineAction.UP)

    assert recovered.outcome is EngineOutcome.SUCCEEDED, recovered
    if imported is not None:
        assert recovered.changes["imported"] >= imported
    assert resumed.outcome is EngineOutcome.SUCCEEDED, resumed
    workload.assert_delivered_once()
    workload.assert_removed()


def test_a_record_whose_create_was_cut_off_is_taken_into_the_state(order: Callable[[str], Order]) -> None:
    """Cloudflare wrote the record, the engine died before it heard of it: the record is ours by its comment."""
    workload = order("minecraft")
    job = workload.killed_before_the_save(
        workload.lab.faults.cloudflare,
        lambda: bool(workload.lab.truth.records(workload.spec.dns.fqdn)),
        method="POST",
        path="*/dns_records",
    )

    recovered = workload.rig.engine.recover(job, workload.rig.secrets).wait(lambda _: None, lambda: True)

    assert (recovered.outcome, recovered.changes["imported"] >= 1) == (EngineOutcome.SUCCEEDED, True), recovered
    assert workload.run(EngineAction.UP).outcome is EngineOutcome.SUCCEEDED
    workload.assert_delivered_once()
    workload.assert_removed()


@pytest.mark.parametrize(
    ("kind", "path"),
    [("cloud_vm", "*/clone"), ("minecraft", "*/lxc"), ("cloud_vm", "*/firewall/rules")],
    ids=["clone", "container", "rules"],
)
def test_a_lost_answer_does_not_make_a_second_guest(order: Callable[[str], Order], kind: str, path: str) -> None:
    """The node carries the request out, the answer is lost: this attempt or the next finds what is there."""
    workload = order(kind)
    with workload.lab.faults.proxmox.during("lose_answer", method="POST", path=path, times=1):
        first = workload.rig.run(workload.job(stack_may_exist=False))

    resumed = workload.run(EngineAction.UP)

    assert first.failure is None or first.failure.retryable, first
    assert resumed.outcome is EngineOutcome.SUCCEEDED, resumed
    workload.assert_delivered_once()
    workload.assert_removed()


def test_a_lost_answer_of_the_dns_provider_makes_no_second_record(order: Callable[[str], Order]) -> None:
    """The record is there and bears our order: it is taken over instead of refused."""
    workload = order("minecraft")
    with workload.lab.faults.cloudflare.during("lose_answer", method="POST", path="*/dns_records", times=1):
        first = workload.rig.run(workload.job(stack_may_exist=False))

    resumed = workload.run(EngineAction.UP)

    assert first.failure is None or first.failure.retryable, first
    assert resumed.outcome is EngineOutcome.SUCCEEDED, resumed
    workload.assert_delivered_once()


class TestForeignGuest:
    def test_a_guest_at_our_number_is_neither_adopted_nor_touched(self, order: Callable[[str], Order]) -> None:
        """Somebody made a guest by hand: the order fails for good, and says so."""
        workload = order("cloud_vm")
        node, vmid = workload.spec.placement.node, workload.spec.placement.vmid
        workload.lab.truth.node(node).nodes(node).qemu.create(vmid=vmid, name=workload.spec.hostname, memory=512)
        until(lambda: any(guest.vmid == vmid for guest in workload.lab.truth.guests()))

        result = workload.rig.run(workload.job(stack_may_exist=False))

        assert result.failure is not None
        assert (result.failure.code, result.failure.retryable) == ("identity_conflict", False)
        (guest,) = workload.lab.truth.guests()
        assert (guest.vmid, guest.tags) == (vmid, ())

    def test_recovery_stops_before_it(self, order: Callable[[str], Order]) -> None:
        """An interrupted create with another's guest in its place is not cleared: a person has to look."""
        workload = order("cloud_vm")
        node, vmid = workload.spec.placement.node, workload.spec.placement.vmid
        job = workload.killed_at(workload.lab.faults.proxmox, kind="freeze", method="PUT", path="*/qemu/*/config")
        workload.lab.truth.node(node).nodes(node).qemu(vmid).config.put(description="mine", tags="mine")

        recovered = workload.rig.engine.recover(job, workload.rig.secrets).wait(lambda _: None, lambda: True)

        assert recovered.failure is not None
        assert (recovered.failure.code, recovered.failure.retryable) == ("identity_conflict", False)


class TestSlowProvider:
    def test_a_cancel_in_the_middle_of_a_clone_leaves_one_guest_in_the_end(self, order: Callable[[str], Order]) -> None:
        """The interrupt lets the step end or fail; whatever it leaves, the next `up` makes one guest of it."""
        workload = order("cloud_vm")
        job = workload.job(stack_may_exist=False)
        with workload.lab.faults.proxmox.during("freeze", method="POST", path="*/clone") as fault:
            control = workload.lab.faults.proxmox
            run = workload.rig.engine.start(job, workload.rig.secrets)
            done = workload.rig.follow(
                run, lambda: not any(known.id == fault.id and known.hits for known in control.all())
            )
            until(lambda: "Creating virtual machine build-box" in workload.rig.sentences)
            until(lambda: any(known.id == fault.id and known.hits for known in control.all()))
        assert done.result().outcome in {EngineOutcome.CANCELLED, EngineOutcome.SUCCEEDED}

        resumed = workload.run(EngineAction.UP)

        assert resumed.outcome is EngineOutcome.SUCCEEDED, resumed
        workload.assert_delivered_once()

    def test_an_error_of_the_node_may_be_tried_again(self, order: Callable[[str], Order]) -> None:
        """A lock or a 500 is told in a sentence, and time may heal it."""
        workload = order("minecraft")
        with workload.lab.faults.proxmox.during(
            "error", method="POST", path="*/lxc", status=500, message="node is down"
        ):
            result = workload.rig.run(workload.job(stack_may_exist=False))

        assert result.failure is not None
        assert (result.failure.code, result.failure.retryable) == ("provider_unavailable", True)
        assert workload.run(EngineAction.UP).outcome is EngineOutcome.SUCCEEDED
        workload.assert_delivered_once()
