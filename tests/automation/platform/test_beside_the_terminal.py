"""One stack, two ways: the CLI at a terminal and the runs of the pages, on one state."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.db.session import Database
from api.platform.models import RunAction, RunStatus
from automation.toolchain import Toolchain
from lab.client import RunningLab
from tests.fixtures.engine import Rig
from tests.fixtures.live_platform import LivePlatform
from tests.fixtures.platform import STACK
from tests.fixtures.platform_stacks import PlatformStacks, lab_spec

pytestmark = pytest.mark.engine


@pytest.fixture
def pages(database: Database, rig: Rig, lab: RunningLab) -> Iterator[LivePlatform]:
    """Return administrators and a worker with the product's own programs."""
    live = LivePlatform(database, rig, lab, "automation.engine.programs:platform")
    yield live
    live.store.close()


@pytest.fixture
def terminal(pages: LivePlatform, engine_toolchain: Toolchain, lab: RunningLab, tmp_path: Path) -> PlatformStacks:
    """Return somebody at a terminal, with the network stack described, on the same state."""
    folder = tmp_path / "clone"
    folder.mkdir()
    stacks = PlatformStacks(folder, engine_toolchain, lab)
    stacks.environment["PULUMI_BACKEND_URL"] = pages.settings.state_database_url.get_secret_value()
    stacks.add(STACK)
    return stacks


def _spec(*more: dict[str, str]) -> dict[str, Any]:
    spec = {**lab_spec(STACK), "tells_inventory": False}
    return {**spec, "network": {**spec["network"], "subnets": [*spec["network"]["subnets"], *more]}}


def test_a_stack_goes_from_the_terminal_to_the_pages_and_back(
    pages: LivePlatform, terminal: PlatformStacks, lab: RunningLab
) -> None:
    """Raised by the CLI, it shows no change on the pages; changed there, the CLI sees just that; then all goes."""
    terminal.up(STACK)
    for action in (RunAction.PREVIEW, RunAction.REFRESH):
        looked = pages.row(pages.waiting(action, spec=_spec()))
        assert (looked.status, looked.changes) == (RunStatus.SUCCEEDED, {}), looked.error_detail
    changed = pages.brought_up(spec=_spec({"name": "office", "cidr": "10.10.3.0/24"}))
    assert pages.row(changed).status is RunStatus.SUCCEEDED, pages.row(changed).error_detail
    assert terminal.pending(STACK) == {"delete": ["NetworkSubnet"]}

    gone = pages.waiting(RunAction.DESTROY, spec=_spec())
    pages.approve(gone)
    pages.run(gone)
    assert pages.row(gone).status is RunStatus.SUCCEEDED, pages.row(gone).error_detail
    assert lab.truth.cloud() == {}
    for secret in terminal.secrets:
        assert pages.rows_with(secret) == {}
