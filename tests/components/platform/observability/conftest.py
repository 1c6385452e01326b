"""The lab's configuration as files, where the tools look at them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import pytest
from pydantic import SecretStr

from api.db.session import Database
from api.settings import Settings
from components.platform.observability.bundle import bundle
from components.platform.observability.delivery import write_files
from components.platform.observability.layout import Layout
from components.specs.platform.observability import ObservabilitySpec
from tests.fixtures.api import run_api
from tests.fixtures.observability import lab_spec
from tests.fixtures.watch import Watch


@pytest.fixture
def spec() -> ObservabilitySpec:
    """Return the lab's spec."""
    return lab_spec()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a host below a folder, with a file for each secret that is named."""
    layout = Layout(*(PurePosixPath(tmp_path / name) for name in ("configuration", "secrets", "data")))
    for name in ("api-token", "alertmanager-token", "smtp-password", "grafana-admin-password"):
        secret = Path(layout.secret(name))
        secret.parent.mkdir(exist_ok=True)
        secret.write_text("made up")
    return layout


@pytest.fixture
def delivered(spec: ObservabilitySpec, layout: Layout) -> Path:
    """Return the folder of the host's configuration."""
    folder = Path(layout.configuration)
    write_files(bundle(spec, layout), folder)
    return folder


@pytest.fixture
def watch(settings: Settings, database: Database, layout: Layout, tmp_path: Path) -> Iterator[Watch]:
    """Return Prometheus and Alertmanager at work, with an API that knows its Alertmanager."""
    tokens = SecretStr(Path(layout.secret("alertmanager-token")).read_text())
    with ExitStack() as stack:
        api = stack.enter_context(run_api(settings.model_copy(update={"alertmanager_tokens": tokens}), database))
        yield Watch(api, layout, tmp_path, stack)
