"""The worker's process: what it needs, and what it does without it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from api.vault import generate_key
from automation.toolchain import Toolchain

pytestmark = pytest.mark.processes

_SECONDS = 120


def _settings(work_root: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SLIPWAY_STATE_DATABASE_URL": "postgres://nobody:secret-word@127.0.0.1:1/state?sslmode=disable",
        "SLIPWAY_MASTER_KEYS": generate_key(),
        "SLIPWAY_PUBLIC_URL": "http://127.0.0.1",
        "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_made_up",
        "SLIPWAY_STRIPE_WEBHOOK_SECRETS": "whsec_made_up",
        "SLIPWAY_CLOUDFLARE_API_TOKEN": "made up",
        "SLIPWAY_WORK_ROOT": str(work_root),
    }


def _python(*arguments: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def test_importing_the_worker_needs_no_settings_and_no_pulumi() -> None:
    """The parent is forked for each child: what it imports, all of them carry."""
    code = "import sys, automation.worker; sys.exit('pulumi' in sys.modules)"
    done = _python("-c", code, environment={})
    assert done.returncode == 0, done.stderr


def test_a_worker_without_settings_names_what_is_missing() -> None:
    """There are no default secrets."""
    done = _python("-c", "import automation.worker; automation.worker.app", environment={})
    assert done.returncode != 0
    for name in ("DATABASE_URL", "state_database_url", "master_keys", "stripe_secret_key"):
        assert name in done.stderr


@pytest.mark.engine
def test_a_worker_that_cannot_reach_its_state_ends_and_says_why(engine_toolchain: Toolchain, tmp_path: Path) -> None:
    """Taking orders up only to fail each of them would be worse; and the password is not told."""
    # Where the toolchain is found: in the user's cache, or where they have put it.
    places = {name: os.environ[name] for name in ("HOME", "SLIPWAY_CACHE_DIR", "XDG_CACHE_HOME") if name in os.environ}
    environment = {**_settings(tmp_path / "work"), **places, **engine_toolchain.environment()}
    done = _python("-m", "celery", "-A", "automation.worker", "worker", environment=environment)
    assert done.returncode != 0
    assert "the worker cannot start: the state database cannot be used" in done.stdout + done.stderr
    assert "secret-word" not in done.stdout + done.stderr
