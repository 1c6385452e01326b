"""A node's way to its namespace."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI

from components.pbs.client import Pbs
from components.pbs.targets import USER, Targets
from components.specs.pbs import BackupTargetSpec
from lab.client import RunningLab
from tests.fixtures.backup_server import by_hand, pbs, third_party
from tests.races import at_once

__all__ = ["by_hand", "pbs"]

SPEC = BackupTargetSpec(
    node="game-1",
    node_endpoint="https://10.10.16.11:8006",
    server="10.10.0.51",
    fingerprint="00:" * 31 + "00",
    datastore="main",
    namespace="game-1",
)


class Storages:
    """A node's storages, in memory."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.passwords: list[str] = []

    def get(self, name: str) -> Mapping[str, Any] | None:
        """Return a storage."""
        return self.items.get(name)

    def replace(self, name: str, settings: Mapping[str, Any], password: str) -> None:
        """Have exactly this storage."""
        self.items[name] = dict(settings)
        self.passwords.append(password)

    def remove(self, name: str) -> None:
        """Have no such storage."""
        self.items.pop(name, None)


class Overtaken(Pbs):
    """The login of a process that another one overtakes: a user without tokens goes as soon as it has been seen."""

    others: ProxmoxAPI

    def get(self, path: str) -> Any:
        """Look, and be too late to act on it."""
        found = super().get(path)
        if path == "/access/users" and self.others.access.users(USER).token.get() == []:
            self.others.access.users(USER).delete()
        return found


@pytest.fixture
def storages() -> Storages:
    """Those of a node that has none."""
    return Storages()


@pytest.fixture
def targets(pbs: Pbs, by_hand: ProxmoxAPI, storages: Storages) -> Targets:
    """Targets of a server with one datastore and the node's namespace."""
    by_hand.config.datastore.post(name="main", path="/mnt/datastore/main")
    by_hand("admin/datastore/main/namespace").post(name="game-1")
    return Targets(pbs, lambda _spec: storages)


def test_the_node_gets_a_token_that_opens_its_namespace_alone(
    targets: Targets, storages: Storages, lab: RunningLab
) -> None:
    """The secret is with the node; the storage says where to write to and as whom."""
    targets.make(SPEC)
    token = third_party(lab.document.pbs, (f"{USER}!game-1", storages.passwords[-1]))
    assert token("admin/datastore/main/groups").get(ns="game-1") == []
    assert [item["ns"] for item in token("admin/datastore/main/namespace").get()] == ["game-1"]
    assert storages.items["pbs"]["username"] == f"{USER}!game-1"
    assert targets.get(SPEC) == storages.items["pbs"]


def test_made_again_it_has_another_secret(targets: Targets, storages: Storages, lab: RunningLab) -> None:
    """After a crash nobody knows whether the node ever got the first one; the first one is worth nothing then."""
    targets.make(SPEC)
    targets.make(SPEC)
    first, second = storages.passwords
    assert first != second
    with pytest.raises(Exception, match="401"):
        third_party(lab.document.pbs, (f"{USER}!game-1", first)).version.get()


def test_removed_it_leaves_nothing(targets: Targets, storages: Storages, by_hand: ProxmoxAPI) -> None:
    """No storage, token, permission or user; a second removal finds nothing to do."""
    targets.make(SPEC)
    for _ in range(2):
        targets.remove(SPEC)
    assert (storages.items, by_hand.access.acl.get()) == ({}, [])
    assert [user["userid"] for user in by_hand.access.users.get()] == ["root@pam"]
    assert targets.get(SPEC) is None


def test_another_nodes_token_stays(targets: Targets, by_hand: ProxmoxAPI) -> None:
    """The user goes with its last token only."""
    by_hand("admin/datastore/main/namespace").post(name="bot-1")
    other = SPEC.model_copy(update={"node": "bot-1", "namespace": "bot-1"})
    targets.make(SPEC)
    targets.make(other)
    targets.remove(SPEC)
    assert [item["tokenid"] for item in by_hand.access.users(USER).token.get()] == [f"{USER}!bot-1"]


def test_all_nodes_at_once_share_one_user(targets: Targets, by_hand: ProxmoxAPI) -> None:
    """The engine makes and removes them together; none stumbles over the user that another has made or removed."""
    nodes = [f"game-{number}" for number in range(2, 6)]
    specs = [SPEC.model_copy(update={"node": node, "namespace": node}) for node in nodes]
    for node in nodes:
        by_hand("admin/datastore/main/namespace").post(name=node)
    for _ in range(3):
        at_once([partial(targets.make, spec) for spec in specs])
        assert len(by_hand.access.users(USER).token.get()) == len(specs)
        at_once([partial(targets.remove, spec) for spec in specs])
        assert [user["userid"] for user in by_hand.access.users.get()] == ["root@pam"]


def test_a_user_whom_another_process_removes_meanwhile_is_gone(
    targets: Targets, by_hand: ProxmoxAPI, lab: RunningLab
) -> None:
    """Two runs at once see that it has no token left; the second one finds nothing to remove, which is no failure."""
    targets.make(SPEC)
    section = lab.document.pbs
    slow = Overtaken(section.base_url, section.username, section.password, section.fingerprint)
    slow.others = by_hand
    Targets(slow, targets.storages).remove(SPEC)
    assert [user["userid"] for user in by_hand.access.users.get()] == ["root@pam"]
