"""Platform runs on the real engine, with the real hcloud plugin against the lab."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import hcloud
import psycopg
import pytest

from api.db.session import Database
from api.platform.models import RunAction, RunStatus
from automation.engine.contract import EngineAction, EngineOutcome, EngineResult
from automation.operations.engine_attempt import EngineRecord
from lab.client import RunningLab
from tests.fixtures.engine import Rig, until
from tests.fixtures.live_platform import LivePlatform
from tests.fixtures.platform import STACK

pytestmark = pytest.mark.engine


@pytest.fixture
def platform(database: Database, rig: Rig, lab: RunningLab) -> Iterator[LivePlatform]:
    """Return administrators, a worker with the real engine, and the lab."""
    live = LivePlatform(database, rig, lab, "engine_platform:tiny")
    yield live
    live.store.close()


def _spec(**cidrs: str) -> dict[str, Any]:
    return {"tells_inventory": False, "cidrs": cidrs}


def _names(lab: RunningLab) -> list[str]:
    return sorted(network.name for network in lab.truth.hcloud.networks.get_all())


def test_a_stacks_whole_life(platform: LivePlatform, lab: RunningLab) -> None:
    """Up, an unchanged preview, a change, drift that shows, destroy; the token is in no row and no state."""
    platform.brought_up(spec=_spec(one="10.20.0.0/16"))
    assert _names(lab) == ["one"]
    assert platform.row(platform.waiting(RunAction.PREVIEW, spec=None)).changes == {}
    platform.brought_up(spec=_spec(one="10.20.0.0/16", two="10.21.0.0/16"))
    assert _names(lab) == ["one", "two"]

    network = lab.truth.hcloud.networks.get_by_name("two")
    assert isinstance(network, hcloud.networks.client.BoundNetwork)
    network.update(labels={"by": "hand"})
    drift = platform.waiting(RunAction.REFRESH, spec=None)
    assert platform.row(drift).changes == {"update": 1}
    assert "hand" in str(platform.plan(drift).steps)

    gone = platform.waiting(RunAction.DESTROY, spec=None)
    platform.approve(gone)
    platform.run(gone)
    assert platform.row(gone).status is RunStatus.SUCCEEDED, platform.row(gone).error_detail
    assert _names(lab) == []
    assert platform.rows_with(platform.token) == {}


def test_a_wrong_configuration_fails_before_anything_exists(platform: LivePlatform, lab: RunningLab) -> None:
    """The run names the key."""
    run_id = platform.waiting(spec={"cidrs": 1})

    assert platform.row(run_id).error_code == "invalid_spec"
    assert "slipway:spec.cidrs" in (platform.row(run_id).error_detail or "")
    assert _names(lab) == []


def test_what_a_provider_refuses_is_told_in_its_own_words(platform: LivePlatform) -> None:
    """Staff read why; nothing is tried again by itself."""
    run_id = platform.waiting(spec=_spec(one="10.20.0.0/16", bad="8.8.8.0/24"))
    platform.approve(run_id)
    platform.run(run_id)
    row = platform.row(run_id)

    assert row.status is RunStatus.FAILED
    assert "ip_range" in (row.error_detail or "") or "IP range" in (row.error_detail or ""), row.error_detail


def test_a_terminals_lock_is_waited_for_and_left_alone(platform: LivePlatform, tmp_path: Path) -> None:
    """The CLI of somebody else holds the stack: the run says so, and goes on once they are done."""
    done = _at_a_terminal(platform.live, tmp_path)
    until((tmp_path / "started").exists)
    run_id = platform.waiting(spec=_spec(one="10.20.0.0/16"))
    row = platform.row(run_id)
    assert row.status is RunStatus.QUEUED
    assert f"process {platform.store.locks(STACK)[0].pid}" in (row.waits_for or "")

    (tmp_path / "gate").touch()
    assert done.result(60).outcome is EngineOutcome.SUCCEEDED
    platform.run(run_id)
    assert platform.row(run_id).status is RunStatus.AWAITING_APPROVAL, platform.row(run_id).error_detail


def _at_a_terminal(rig: Rig, folder: Path) -> "Future[EngineResult]":
    """Have a CLI hold the stack that is no run of ours: its files are elsewhere."""
    other = replace(rig.using("engine_programs:waits"), work_root=folder / "elsewhere", stack=STACK)
    spec = {"started": str(folder / "started"), "gate": str(folder / "gate")}
    secrets = replace(rig.secrets, passphrase="of this test only")
    return other.follow(other.engine.start(other.job(EngineAction.UP, spec, stack_may_exist=False), secrets))


def test_a_killed_engines_create_is_found_by_its_name(platform: LivePlatform, lab: RunningLab) -> None:
    """Killed between request and answer: recovery finds the network by name and labels, and takes it over."""
    run_id = platform.waiting(spec=_spec(one="10.20.0.0/16"))
    platform.approve(run_id)
    _kill_in_create(platform, lab, run_id)
    assert _names(lab) == ["one"]
    platform.run(run_id, "worker-2")

    assert platform.row(run_id).status is RunStatus.SUCCEEDED, platform.row(run_id).error_detail
    assert _names(lab) == ["one"]
    assert platform.row(platform.waiting(RunAction.PREVIEW, spec=None)).changes == {}


def _kill_in_create(platform: LivePlatform, lab: RunningLab, run_id: UUID) -> None:
    """Have a worker begin, and kill its engine once the network exists, but the state has not been told."""
    url = platform.settings.state_database_url.get_secret_value()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(url) as state:
        with lab.faults.hcloud.during("freeze", method="POST", path="*/networks") as rule:
            work = pool.submit(platform.run, run_id)
            until(lambda: any(known.id == rule.id and known.hits for known in lab.faults.hcloud.all()))
            state.execute("LOCK TABLE pulumi_state IN EXCLUSIVE MODE")
        until(lambda: _names(lab) == ["one"])
        engine = platform.row(run_id).engine
        assert engine is not None
        assert platform.engine.terminate(EngineRecord.of(engine).process)
        state.rollback()
        assert work.result(60)
