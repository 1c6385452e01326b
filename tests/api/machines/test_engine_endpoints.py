"""What an engine's child may do with the machine of its grant, and nothing else."""

from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.alerts.models import Alert
from api.machines.lifecycle import lock_machine
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.operations.models import Operation
from components.specs.machine import DeploymentPhase, MachineState
from tests.factories.machines import boot_profile
from tests.fixtures.machines import Engine, MetalApi
from tests.races import at_once

S = MachineState
PROFILE = boot_profile().model_dump(mode="json")


def installing(metal_api: MetalApi) -> tuple[Engine, UUID]:
    """Have an engine that has opened an installation."""
    engine = metal_api.engine()
    engine.ask("PUT", "/profile", PROFILE).raise_for_status()
    return engine, engine.opened("install")


def test_a_machine_is_installed_wiped_and_offered_again(metal_api: MetalApi) -> None:
    """The whole path of a workload, with each move of the machine in the audit trail."""
    engine = metal_api.engine()
    claim = {"machine_id": str(engine.machine.id), "serial": engine.machine.serial}
    assert engine.ask("PUT", "/claim", claim).status_code == 204
    digest = engine.ask("PUT", "/profile", PROFILE).raise_for_status().json()["profile_digest"]
    install = engine.opened("install")
    engine.ask("POST", f"/deployments/{install}/phase", {"phase": "power"}).raise_for_status()
    metal_api.stable.shows_itself(install, DeploymentPhase.FIRST_BOOT)
    engine.ask("POST", f"/deployments/{install}/phase", {"phase": "done", "detail": "It answers."}).raise_for_status()
    seen = engine.ask("GET", "/machine").raise_for_status().json()
    assert (seen["state"], seen["profile_digest"], seen["deployment"]) == ("active", digest, None)
    assert (seen["installed"]["image"], seen["installed"]["profile_digest"]) == ("debian-12", digest)
    wipe = engine.opened("wipe", "two")
    metal_api.stable.reports_wipe(wipe)
    engine.ask("POST", f"/deployments/{wipe}/phase", {"phase": "done"}).raise_for_status()
    assert engine.ask("DELETE", "/profile").status_code == 204
    assert [engine.ask("DELETE", "/claim").status_code for _ in range(2)] == [204, 204]
    machine = metal_api.stable.machine(engine.machine)
    assert (machine.state, machine.workload_id, machine.installed) == (S.AVAILABLE, None, None)
    path = ["reserved", "deploying", "active", "cleaning", "available"]
    assert metal_api.stable.moves(engine.machine) == list(pairwise(path))


def test_each_phase_is_a_line_of_the_operations_log_and_is_measured(metal_api: MetalApi) -> None:
    """Whoever told it; the log is the customer's."""
    engine, install = installing(metal_api)
    engine.ask("POST", f"/deployments/{install}/phase", {"phase": "power", "detail": "Switched on."}).raise_for_status()
    metal_api.stable.shows_itself(install, DeploymentPhase.WRITE)
    lines = [line for line in metal_api.desk.lines(engine.lease.operation_id) if line.kind == "machine"]
    assert [(line.message, line.data["phase"]) for line in lines] == [("Switched on.", "power"), ("At write.", "write")]
    seen = engine.ask("GET", f"/deployments/{install}").json()
    assert (seen["status"], seen["phase"], set(seen["phase_seconds"])) == ("open", "write", {"power", "write"})


def test_a_key_stands_for_one_deployment_however_often_it_is_sent(metal_api: MetalApi) -> None:
    """Even at once; another kind under the key is refused, and a failed one is not tried again by itself."""
    engine, install = installing(metal_api)
    body = {"kind": "install", "key": "one"}
    answers = at_once([partial(engine.ask, "POST", "/deployments", body)] * 3)
    assert {UUID(answer.json()["id"]) for answer in answers} == {install}
    assert engine.code("POST", "/deployments", {"kind": "wipe", "key": "one"}) == (409, "conflict")
    engine.ask("POST", f"/deployments/{install}/fail", {"code": "deadline"}).raise_for_status()
    assert engine.ask("POST", "/deployments", body).json()["status"] == "failed"
    assert engine.opened("install", "another") != install


def test_a_key_of_an_earlier_workload_is_not_that_of_the_next(metal_api: MetalApi) -> None:
    """Two stacks name their keys alike, and a machine sees both."""
    first, install = installing(metal_api)
    metal_api.stable.move(first.machine, S.CLEANING)

    def hand_over(session: Any) -> None:
        machine = lock_machine(session, first.machine.id)
        machine.workload_id = None

    first.ask("POST", f"/deployments/{install}/fail", {"code": "deadline"})
    metal_api.stable.change(hand_over)
    order_id = metal_api.stable.shop.place_paid()
    workload_id = metal_api.stable.shop.workload(order_id).id
    metal_api.stable.change(
        lambda session: session.execute(
            update(Machine).where(Machine.id == first.machine.id).values(workload_id=workload_id, state=S.RESERVED)
        )
    )
    second = metal_api.engine_for(first.machine, metal_api.desk.begun(order_id))
    second.ask("PUT", "/profile", PROFILE).raise_for_status()
    assert second.opened("install") != install
    assert second.code("GET", f"/deployments/{install}") == (404, "not_found")


def test_only_a_machine_that_has_shown_itself_can_be_done(metal_api: MetalApi) -> None:
    """A mistaken engine cannot hand over a machine that nothing was done to."""
    engine, install = installing(metal_api)
    path = f"/deployments/{install}/phase"
    for phase in (None, "power"):
        if phase:
            engine.ask("POST", path, {"phase": phase}).raise_for_status()
        assert engine.code("POST", path, {"phase": "done"}) == (409, "conflict")
    assert engine.code("POST", path, {"phase": "write"}) == (422, "invalid_input")
    assert metal_api.stable.state(engine.machine) is S.DEPLOYING


def test_a_wipe_needs_its_report_and_the_pool_needs_the_wipe(metal_api: MetalApi) -> None:
    """Neither `done` nor giving the machine back passes the gate without it."""
    engine = metal_api.engine(S.ACTIVE)
    assert engine.code("DELETE", "/claim") == (409, "not_wiped")
    wipe = engine.opened("wipe")
    metal_api.stable.shows_itself(wipe)
    assert engine.code("POST", f"/deployments/{wipe}/phase", {"phase": "done"}) == (409, "not_wiped")
    assert engine.code("DELETE", "/claim") == (409, "conflict")
    engine.ask("POST", f"/deployments/{wipe}/fail", {"code": "deadline", "detail": "It took too long."})
    assert engine.code("DELETE", "/claim") == (409, "not_wiped")
    assert metal_api.stable.state(engine.machine) is S.QUARANTINE


def test_the_database_itself_keeps_an_unwiped_machine_from_being_offered(metal_api: MetalApi) -> None:
    """Whatever code does: the CHECK constraint is the gate's last leaf."""
    engine = metal_api.engine(S.ACTIVE)
    offered = update(Machine).where(Machine.id == engine.machine.id).values(state=S.AVAILABLE, workload_id=None)
    for statement in (offered, offered.values(wiped_at=func.now(), written_at=func.now())):
        with pytest.raises(IntegrityError, match="available_only_when_wiped"):
            metal_api.stable.change(partial(Session.execute, statement=statement))


@pytest.mark.parametrize(
    ("kind", "code", "state"),
    [
        ("wipe", "deadline", S.QUARANTINE),
        ("install", "deadline", S.DEPLOYING),
        ("install", "wrong_machine", S.QUARANTINE),
        ("rescue", "deadline", S.ACTIVE),
        ("rescue", "wrong_machine", S.QUARANTINE),
    ],
)
def test_what_becomes_of_a_machine_whose_deployment_failed(
    metal_api: MetalApi, kind: str, code: str, state: MachineState
) -> None:
    """Quarantine comes with an alert; saying it twice changes nothing."""
    engine = metal_api.engine(S.ACTIVE)
    engine.ask("PUT", "/profile", PROFILE).raise_for_status()
    deployment = engine.opened(kind)
    for _ in range(2):
        failed = engine.ask("POST", f"/deployments/{deployment}/fail", {"code": code, "detail": "So it was."}).json()
        assert (failed["status"], failed["error_code"], failed["error_detail"]) == ("failed", code, "So it was.")
    assert metal_api.stable.state(engine.machine) is state
    alerts = [alert.subject_id for alert in metal_api.stable.shop.all(Alert) if alert.kind == "machine_quarantined"]
    assert alerts == ([str(engine.machine.id)] if state is S.QUARANTINE else [])
    assert engine.code("POST", f"/deployments/{deployment}/phase", {"phase": "done"}) == (410, "deployment_over")


def test_rescue_comes_and_goes_and_an_install_ends_it(metal_api: MetalApi) -> None:
    """The customer's system is untouched; leaving aborts what is still being booted."""
    engine = metal_api.engine(S.ACTIVE)
    assert engine.ask("POST", "/rescue/leave").status_code == 204
    first = engine.opened("rescue")
    assert metal_api.stable.state(engine.machine) is S.RESCUE
    assert engine.ask("POST", "/rescue/leave").status_code == 204
    assert metal_api.stable.deployment(first).status is DeploymentStatus.ABORTED
    second = engine.opened("rescue", "two")
    metal_api.stable.shows_itself(second)
    engine.ask("POST", f"/deployments/{second}/phase", {"phase": "done"}).raise_for_status()
    assert metal_api.stable.state(engine.machine) is S.RESCUE
    engine.ask("PUT", "/profile", PROFILE).raise_for_status()
    engine.opened("install", "three")
    assert metal_api.stable.state(engine.machine) is S.DEPLOYING
    assert engine.code("POST", "/rescue/leave") == (409, "conflict")


def test_a_wipe_ends_an_installation_that_nobody_follows_any_more(metal_api: MetalApi) -> None:
    """Its engine was killed, the order was cancelled: the next operation's deployment is the one that counts."""
    engine, install = installing(metal_api)
    engine.opened("wipe", "two")
    ended = metal_api.stable.deployment(install)
    assert (ended.status, ended.session_hash, ended.token_hash) == (DeploymentStatus.ABORTED, None, None)
    assert metal_api.stable.state(engine.machine) is S.CLEANING
    assert engine.code("POST", "/deployments", {"kind": "install", "key": "3"}) == (409, "illegal_transition")
    assert metal_api.stable.state(engine.machine) is S.CLEANING


def test_a_claim_is_of_this_machine_for_this_workload(metal_api: MetalApi) -> None:
    """A board that was replaced or a machine that was given to somebody else is told from the right one."""
    engine, other = metal_api.engine(), metal_api.engine()
    mine = {"machine_id": str(engine.machine.id), "serial": engine.machine.serial}
    theirs = {"machine_id": str(other.machine.id), "serial": other.machine.serial}
    assert engine.code("PUT", "/claim", mine | {"serial": "OTHER"}) == (409, "wrong_machine")
    assert engine.code("PUT", "/claim", theirs) == (409, "wrong_machine")
    metal_api.stable.move(engine.machine, S.QUARANTINE, "its fan is dead")
    answer = engine.ask("PUT", "/claim", mine)
    assert (answer.status_code, "its fan is dead" in answer.json()["detail"]) == (409, True)


def test_a_machine_that_went_to_somebody_else_is_out_of_reach(metal_api: MetalApi) -> None:
    """A removal that is repeated is done; everything else is refused."""
    engine = metal_api.engine()
    other = metal_api.stable.shop.workload(metal_api.stable.shop.place()).id
    metal_api.stable.change(
        lambda session: session.execute(
            update(Machine).where(Machine.id == engine.machine.id).values(workload_id=other)
        )
    )
    claim = {"machine_id": str(engine.machine.id), "serial": engine.machine.serial}
    requests: list[tuple[str, str, Any]] = [
        ("PUT", "/claim", claim),
        ("PUT", "/profile", PROFILE),
        ("POST", "/deployments", {"kind": "wipe", "key": "one"}),
        ("POST", "/rescue/leave", None),
    ]
    assert {engine.code(*request) for request in requests} == {(409, "conflict")}
    assert [engine.ask("DELETE", path).status_code for path in ("/claim", "/profile")] == [204, 204]
    assert metal_api.stable.machine(engine.machine).workload_id == other


def test_a_grant_is_void_once_the_fence_has_moved(metal_api: MetalApi) -> None:
    """An engine whose worker lost its lease can do nothing more, and the next worker's can."""
    engine, install = installing(metal_api)
    metal_api.desk.lapse(engine.lease.operation_id)
    lease = metal_api.desk.acquire(engine.lease.operation_id, "worker-2")
    assert lease is not None
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/machine", None),
        ("POST", f"/deployments/{install}/phase", {"phase": "power"}),
        ("DELETE", "/claim", None),
    ]
    assert {engine.code(*request) for request in requests} == {(401, "unauthenticated")}
    successor = metal_api.engine_for(engine.machine, lease)
    assert successor.opened("install") == install


def test_a_grant_ends_with_its_operation_and_with_its_time(metal_api: MetalApi) -> None:
    """And is of one operation only."""
    engine = metal_api.engine()
    now = metal_api.stable.change(lambda session: session.execute(select(func.now())).scalar_one())
    short = metal_api.grant(engine.machine, engine.lease, now - timedelta(seconds=1))
    http = metal_api.api.client()
    http.headers["Authorization"] = f"Bearer {short}"
    assert http.get("/v1/metal/machine").status_code == 401
    assert engine.ask("GET", "/machine").status_code == 200
    metal_api.desk.fail(engine.lease, retryable=False)
    assert engine.code("GET", "/machine") == (401, "unauthenticated")


def test_a_grants_token_is_not_stored(metal_api: MetalApi) -> None:
    """Who reads the table can do nothing with it."""
    engine = metal_api.engine()
    token = metal_api.grant(engine.machine, engine.lease)
    rows = metal_api.stable.change(lambda session: session.execute(text("SELECT * FROM machine_grants")).all())
    assert len(rows) == 2
    assert token not in repr(rows)
    assert token.startswith("slg_")


def test_a_cancellation_is_seen_by_the_engine(metal_api: MetalApi) -> None:
    """It stops at the next phase."""
    engine, install = installing(metal_api)
    assert engine.ask("GET", f"/deployments/{install}").json()["is_cancel_requested"] is False
    values = {"cancel_requested_at": func.now()}
    metal_api.stable.change(
        lambda session: session.execute(
            update(Operation).where(Operation.id == engine.lease.operation_id).values(**values)
        )
    )
    seen = engine.ask("GET", "/machine").json()
    assert (seen["deployment"]["id"], seen["deployment"]["is_cancel_requested"]) == (str(install), True)


def test_an_installation_goes_on_with_the_profile_that_it_began_with(metal_api: MetalApi) -> None:
    """What is wanted meanwhile is for the next one, and the digests tell."""
    engine, install = installing(metal_api)
    other = boot_profile(hostname="gold").model_dump(mode="json")
    wanted = engine.ask("PUT", "/profile", other).json()["profile_digest"]
    metal_api.stable.shows_itself(install)
    engine.ask("POST", f"/deployments/{install}/phase", {"phase": "done"}).raise_for_status()
    seen = engine.ask("GET", "/machine").json()
    assert seen["profile_digest"] == wanted != seen["installed"]["profile_digest"]


def test_without_a_profile_there_is_nothing_to_install(metal_api: MetalApi) -> None:
    """The machine is not moved either; and an inspection is no engine's business."""
    engine = metal_api.engine()
    assert engine.code("POST", "/deployments", {"kind": "install", "key": "one"}) == (409, "conflict")
    assert engine.code("POST", "/deployments", {"kind": "inspect", "key": "one"}) == (422, "invalid_input")
    assert metal_api.stable.state(engine.machine) is S.RESERVED
    assert metal_api.stable.shop.all(Deployment) == []


def test_what_is_not_there_is_not_found(metal_api: MetalApi) -> None:
    """Nor is another workload's."""
    engine, other = metal_api.engine(), metal_api.engine(S.ACTIVE)
    theirs = other.opened("wipe")
    for deployment in (uuid4(), theirs):
        assert engine.code("GET", f"/deployments/{deployment}") == (404, "not_found")
        assert engine.code("POST", f"/deployments/{deployment}/fail", {"code": "x"}) == (404, "not_found")
    assert metal_api.stable.deployment(theirs).status is DeploymentStatus.OPEN
