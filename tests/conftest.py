"""Fixtures that every test may use, and which tests start servers."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.fixtures.options",
    "tests.fixtures.loops",
    "tests.fixtures.crash_points",
    "tests.fixtures.engine",
    "tests.fixtures.lab",
    "tests.fixtures.installed_nodes",
    "tests.fixtures.bare",
    "tests.fixtures.postgres",
    "tests.fixtures.redis",
    "tests.fixtures.api",
    "tests.fixtures.shop",
    "tests.fixtures.inventory",
    "tests.fixtures.state",
    "tests.fixtures.operations",
    "tests.fixtures.machines",
    "tests.fixtures.runner",
    "tests.fixtures.metal_shop",
    "tests.fixtures.drift",
    "tests.fixtures.plans",
    "tests.fixtures.platform",
    "tests.fixtures.worker",
    "tests.fixtures.whole_system",
    "tests.fixtures.lab_worker",
    "tests.fixtures.pages",
    "tests.fixtures.platform_api",
    "tests.fixtures.chromium",
    "tests.fixtures.busy_house",
    "tests.fixtures.iron_house",
    "tests.fixtures.traces",
    "tests.fixtures.machine_stack",
    "tests.fixtures.metal",
    "tests.fixtures.boot_service",
    "tests.fixtures.metal_site",
    "tests.fixtures.debian_installer",
]

# How long an example takes says something about the machine, which is busy with other tests, and nothing about us.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

_SERVERS = frozenset(
    {"postgres", "redis_server", "lab_process", "bare_lab_process", "installed_lab_process", "metal_machines"}
)
_METAL_SECONDS = 900.0
"""For a test with machines of QEMU: some boots, each of which may take minutes beside other tests."""
_LONG = ("metal_machines", "e2e", "engine", "servers", "processes")


def pytest_configure() -> None:
    """Let whatever tests start be interrupted: a background job of a shell ignores SIGINT, and so do its children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts PostgreSQL, Redis or the lab, so that `make check` can leave it out by its fixtures alone.

    Modules whose tests take minutes come first, and those of milliseconds last: processes that share the tests then
    end together.
    """
    for item in items:
        if _SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
        if "metal_machines" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_METAL_SECONDS))
    ranks: dict[Path, int] = {}
    for item in items:
        ranks[item.path] = min(_rank(item), ranks.get(item.path, len(_LONG)))
    items.sort(key=lambda item: ranks[item.path])


def _rank(item: pytest.Item) -> int:
    names = {*getattr(item, "fixturenames", ()), *(mark.name for mark in item.iter_markers())}
    return next((rank for rank, name in enumerate(_LONG) if name in names), len(_LONG))
