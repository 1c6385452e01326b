"""The lab's control plane, as its stack is configured."""

import pytest

from components.specs.platform.control_plane import ControlPlaneSpec
from tests.fixtures.platform_stacks import lab_spec


@pytest.fixture(scope="session")
def spec() -> ControlPlaneSpec:
    """Two API servers, two workers, PostgreSQL with a standby, Redis."""
    return ControlPlaneSpec.model_validate(lab_spec("lab-control-plane"))
