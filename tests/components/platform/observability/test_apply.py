"""The script that takes a delivered configuration into use, as far as a machine without systemd allows."""

import shutil
from pathlib import Path

import pytest

from components.platform.observability.bundle import bundle
from components.platform.observability.delivery import write_files
from components.platform.observability.layout import Layout
from components.specs.platform.observability import ObservabilitySpec
from tests.fixtures.platform_tools import run, tool

pytestmark = pytest.mark.processes


@pytest.fixture
def incoming(spec: ObservabilitySpec, layout: Layout, tmp_path: Path) -> Path:
    """Return a delivery that is not yet in use."""
    if Path("/run/systemd/system").exists():
        pytest.skip("this machine has services of its own that the script would restart")
    for name in ("promtool", "amtool"):
        tool(name)
    folder = tmp_path / "incoming"
    write_files(bundle(spec, layout), folder)
    return folder


def test_a_good_delivery_is_taken_into_use_and_the_one_before_is_kept(incoming: Path, layout: Layout) -> None:
    """The first on an empty host, the second in its place."""
    used = Path(layout.configuration)
    run("sh", incoming / "apply", incoming)
    first = (used / "prometheus.yml").read_text()
    (incoming / "prometheus.yml").write_text(first.replace("scrape_interval: 30s", "scrape_interval: 15s"))
    run("sh", incoming / "apply", incoming)

    assert "scrape_interval: 15s" in (used / "prometheus.yml").read_text()
    assert (used.with_name(f"{used.name}.before") / "prometheus.yml").read_text() == first


@pytest.mark.parametrize("broken", ["prometheus.yml", "rules.yml", "alertmanager.yml"])
@pytest.mark.parametrize("text", ["", "groups: [", "nothing_of_this: is known"])
def test_a_bad_delivery_changes_nothing(incoming: Path, layout: Layout, broken: str, text: str) -> None:
    """Cut off on the way, or of another version."""
    used = Path(layout.configuration)
    run("sh", incoming / "apply", incoming)
    before = {file: file.read_bytes() for file in used.rglob("*") if file.is_file()}
    bad = incoming.with_name("bad")
    shutil.copytree(incoming, bad)
    (bad / broken).write_text(text)

    run("sh", bad / "apply", bad, ok=False)
    assert {file: file.read_bytes() for file in used.rglob("*") if file.is_file()} == before
