"""Namespaces of a datastore."""

import pytest
from proxmoxer import ProxmoxAPI

from components.pbs.client import Pbs
from components.pbs.errors import PbsError
from components.pbs.namespaces import Namespaces
from components.specs.pbs import PbsNamespaceSpec
from lab.client import RunningLab
from tests.fixtures.backup_server import by_hand, pbs

__all__ = ["by_hand", "pbs"]

SPEC = PbsNamespaceSpec(datastore="main", name="game-1")


@pytest.fixture
def namespaces(pbs: Pbs, by_hand: ProxmoxAPI) -> Namespaces:
    """Those of a server with one datastore."""
    by_hand.config.datastore.post(name="main", path="/mnt/datastore/main")
    return Namespaces(pbs)


def test_it_is_made_once(namespaces: Namespaces, lab: RunningLab) -> None:
    """Also when the answer is lost."""
    lab.faults.pbs.add("lose_answer", method="POST", path="/api2/json/admin/datastore/main/namespace", times=1)
    for _ in range(2):
        namespaces.ensure(SPEC)
    assert namespaces.exists(SPEC)


def test_one_with_backups_is_not_removed(namespaces: Namespaces, lab: RunningLab) -> None:
    """The message says whose backups they are."""
    namespaces.ensure(SPEC)
    lab.faults.pbs.add_backup("main", "game-1", 100_007)
    with pytest.raises(PbsError, match=r"holds backups of 1 guests \(100007\); nothing was removed"):
        namespaces.remove(SPEC)
    assert namespaces.exists(SPEC)


def test_an_empty_one_is_removed(namespaces: Namespaces) -> None:
    """And once it is gone that is that."""
    namespaces.ensure(SPEC)
    for _ in range(2):
        namespaces.remove(SPEC)
    assert not namespaces.exists(SPEC)


def test_without_its_datastore_it_is_not_there(pbs: Pbs) -> None:
    """A refresh after the datastore was removed by hand says so and does not fail."""
    assert not Namespaces(pbs).exists(SPEC)
