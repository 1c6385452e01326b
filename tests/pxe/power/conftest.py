"""BMCs of all kinds for the tests of drivers."""

from collections.abc import Iterator

import pytest

from tests.fakes.bmc_child import BmcChild
from tests.fixtures import bmc_rigs
from tests.fixtures.bmc_rigs import Rig


@pytest.fixture(scope="session")
def redfish_child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BmcChild]:
    """sushy-tools' emulator, one process a test session."""
    with bmc_rigs.redfish_emulator(tmp_path_factory.mktemp("redfish")) as child:
        yield child


@pytest.fixture(scope="session")
def ipmi_child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BmcChild]:
    """The BMC of pyghmi, one process a test session."""
    with bmc_rigs.ipmi_bmc(tmp_path_factory.mktemp("ipmi")) as child:
        yield child


@pytest.fixture
def redfish(redfish_child: BmcChild) -> Iterator[Rig]:
    """A Redfish BMC as it was in the beginning."""
    yield bmc_rigs.redfish_rig(redfish_child)
    redfish_child.tell("heal")


@pytest.fixture
def ipmi(ipmi_child: BmcChild) -> Iterator[Rig]:
    """An IPMI BMC as it was in the beginning."""
    yield bmc_rigs.ipmi_rig(ipmi_child)
    ipmi_child.tell("heal")


@pytest.fixture
def fake() -> Iterator[Rig]:
    """The fake, in this process."""
    with bmc_rigs.fake_rig() as rig:
        yield rig


@pytest.fixture
def fake_http() -> Iterator[Rig]:
    """The fake behind its server."""
    with bmc_rigs.fake_http_rig() as rig:
        yield rig


@pytest.fixture
def robot(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A server at the lab's Robot."""
    with bmc_rigs.robot_rig(request.getfixturevalue("lab")) as rig:
        yield rig


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Rig:
    """The BMC of the kind that the test is run with."""
    made: Rig = request.getfixturevalue(request.param)
    return made
