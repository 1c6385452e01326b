"""Deployments that nobody ends, and ends from which nobody has drawn anything."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from api.auth.models import Role
from api.jobs import Job
from api.machines.models import Deployment, DeploymentStatus
from api.machines.overdue import OverdueDeployments
from automation.tasks.machines import sweep_machines
from components.specs.machine import DeploymentPhase, MachineState
from tests.factories.machines import boot_profile
from tests.fakes.engine import FakeEngine
from tests.fakes.state import FakeStateStore
from tests.fixtures.machines import Engine, MetalApi
from tests.fixtures.operations import Desk
from tests.fixtures.runner import GuestsOfEngine, RunnerRig, worker_settings
from tests.fixtures.services import worker_services

S = MachineState


def sweep(metal_api: MetalApi, folder: Path) -> None:
    """Sweep as a worker does."""
    engine = FakeEngine()
    rig = RunnerRig(
        Desk(metal_api.stable.shop), engine, GuestsOfEngine(engine), worker_settings(folder), FakeStateStore(engine)
    )
    sweep_machines(worker_services(rig))


def begun(metal_api: MetalApi, kind: str) -> tuple[Engine, UUID]:
    """Have an engine that has opened a deployment of its customer's machine."""
    engine = metal_api.engine(S.ACTIVE)
    engine.ask("PUT", "/profile", boot_profile().model_dump(mode="json")).raise_for_status()
    return engine, engine.opened(kind)


@pytest.mark.parametrize(("kind", "state"), [("wipe", S.QUARANTINE), ("install", S.DEPLOYING), ("rescue", S.ACTIVE)])
def test_a_deployment_whose_time_is_over_has_failed(
    metal_api: MetalApi, tmp_path: Path, kind: str, state: MachineState
) -> None:
    """With the phase that it was at; a machine that goes into quarantine is switched off."""
    engine, deployment = begun(metal_api, kind)
    metal_api.stable.shows_itself(deployment, DeploymentPhase.WRITE)
    sweep(metal_api, tmp_path)
    assert metal_api.stable.deployment(deployment).status is DeploymentStatus.OPEN
    metal_api.stable.past_deadline(deployment)
    sweep(metal_api, tmp_path)
    ended = metal_api.stable.deployment(deployment)
    assert (ended.status, ended.error_code) == (DeploymentStatus.FAILED, "deadline")
    assert "it was at 'write'" in (ended.error_detail or "")
    assert metal_api.stable.state(engine.machine) is state
    asked = [(engine.machine.id, "off")] if state is S.QUARANTINE else []
    assert metal_api.stable.shop.jobs.of(Job.POWER_MACHINE) == asked


@pytest.mark.parametrize(
    ("kind", "code", "state"),
    [
        ("wipe", "disk_error", S.QUARANTINE),
        ("install", "disk_error", S.DEPLOYING),
        ("install", "wrong_machine", S.QUARANTINE),
    ],
)
def test_an_end_without_consequences_is_found(
    metal_api: MetalApi, tmp_path: Path, kind: str, code: str, state: MachineState
) -> None:
    """Whoever wrote the end died before it could move the machine."""
    engine, deployment = begun(metal_api, kind)
    ended = {"status": DeploymentStatus.FAILED, "error_code": code}
    metal_api.stable.change(
        lambda session: session.execute(update(Deployment).where(Deployment.id == deployment).values(**ended))
    )
    sweep(metal_api, tmp_path)
    assert metal_api.stable.state(engine.machine) is state


def test_a_failure_that_another_try_has_followed_says_nothing_about_the_machine(metal_api: MetalApi) -> None:
    """The newest deployment counts."""
    engine, deployment = begun(metal_api, "install")
    ended = {"status": DeploymentStatus.FAILED, "error_code": "wrong_machine"}
    metal_api.stable.change(
        lambda session: session.execute(update(Deployment).where(Deployment.id == deployment).values(**ended))
    )
    engine.opened("install", "two")
    assert metal_api.stable.change(lambda session: OverdueDeployments(session).undrawn()) == []


def test_a_step_whose_hint_was_lost_is_found(metal_api: MetalApi, tmp_path: Path) -> None:
    """By its row, as everything else."""
    machine = metal_api.stable.add()
    operator = metal_api.api.staff(Role.OPERATOR).http
    opened = operator.post(f"/v1/admin/machines/{machine.name}/inspect", json={"reason": "a test"}).json()["id"]
    metal_api.stable.shop.jobs.sent.clear()
    sweep(metal_api, tmp_path)
    assert [str(one) for (one,) in metal_api.stable.shop.jobs.of(Job.RUN_MACHINE)] == [opened]
