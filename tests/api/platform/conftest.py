"""An API whose workers could run platform stacks of one small kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.db.session import Database
from api.platform.configuration import Configurations, get_configurations
from api.settings import Settings
from components.specs.platform import PlatformKind, PlatformSpec
from tests.fixtures.api import Api, run_api


class TinySpec(PlatformSpec):
    """A network."""

    cidr: str
    subnets: tuple[str, ...] = ()


TINY = Configurations({PlatformKind.NETWORK: TinySpec})


@pytest.fixture
def platform_api(settings: Settings, database: Database, tmp_path: Path) -> Iterator[Api]:
    """Return a running API that knows one kind of stack, and has been told of the credentials' file."""
    told = settings.model_copy(update={"platform_environment_file": tmp_path / "platform.env"})
    with run_api(told, database) as running:
        running.app.dependency_overrides[get_configurations] = lambda: TINY
        yield running
