"""Fixtures that every test may use, and which tests start servers."""

import pytest

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

_SERVERS = frozenset(
    {"postgres", "redis_server", "lab_process", "bare_lab_process", "installed_lab_process", "metal_machines"}
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts PostgreSQL, Redis or the lab, so that `make check` can leave it out by its fixtures alone."""
    for item in items:
        if _SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
