"""What a node remembers of users, grants, metric servers and pools."""

import asyncio
import pickle

import pytest

from lab.estate import Node, WorkloadClass
from lab.faults.rules import FaultTable
from lab.proxmox.node import LabNode
from lab.proxmox.permissions import AccessRules, is_path

SECRET = "lab@pve!lab=00000000-0000-4000-8000-000000000000"


def node() -> LabNode:
    """A node that serves nobody."""
    return LabNode(Node("cloud-1", WorkloadClass.CLOUD), SECRET, "root's", FaultTable(), 1, bare=True)


async def set_up(made: LabNode) -> str:
    """Make one of each, and return the token's secret."""
    await made._role_create({"roleid": "Looker", "privs": "VM.Audit"}, "root@pam")
    await made._user_create({"userid": "slipway@pve"}, "root@pam")
    token = await made._token_create({"userid": "slipway@pve", "tokenid": "one", "privsep": 0}, "root@pam")
    await made._acl_update({"path": "/vms", "roles": "Looker", "users": "slipway@pve"}, "root@pam")
    await made._metric_create({"id": "graphs", "type": "graphite", "server": "a", "port": 2003}, "root@pam")
    await made._pool_create({"poolid": "cloud"}, "root@pam")
    await made._sc_create({"storage": "thin", "type": "lvmthin", "vgname": "pve", "thinpool": "data"}, "root@pam")
    return str(token["value"])


def test_a_node_that_starts_again_has_all_that_was_made_on_it() -> None:
    """The token still opens it, with the same privileges."""
    before, after = node(), node()
    secret = asyncio.run(set_up(before))
    after.remember(pickle.loads(pickle.dumps(before.remembered())))  # noqa: S301 - made two lines above
    assert after.apitokens["slipway@pve!one"] == secret
    assert after.allowed("slipway@pve!one", "/vms/100", "VM.Audit")
    assert not after.allowed("slipway@pve!one", "/vms/100", "VM.Allocate")
    assert list(after.metric_servers) == ["graphs"]
    assert list(after.pools) == ["cloud"]
    assert set(after.storages) == {"local", "thin"}


def test_a_bare_node_that_is_emptied_is_as_installed() -> None:
    """Nothing of it is left."""
    made = node()
    asyncio.run(set_up(made))
    made.reset()
    assert (set(made.rules.users), made.rules.roles) == ({"root@pam", "lab@pve"}, {})
    assert (made.metric_servers, made.pools, set(made.storages)) == ({}, {}, {"local"})


def test_a_grant_that_does_not_go_down_holds_on_its_path_only() -> None:
    """And root needs none."""
    rules = AccessRules(entries={("/vms", "a@pve", "PVETemplateUser"): False})
    assert "VM.Clone" in rules.privileges("a@pve", ["/vms"])
    assert rules.privileges("a@pve", ["/vms/100"]) == frozenset()
    assert "VM.Clone" in rules.privileges("root@pam", ["/vms/100"])


def test_a_pool_adds_to_what_its_members_allow() -> None:
    """Unless the member itself says no."""
    rules = AccessRules(entries={("/pool/game", "a@pve", "PVETemplateUser"): True})
    assert "VM.Clone" in rules.privileges("a@pve", ["/vms/100", "/pool/game"])
    rules.entries["/vms/100", "a@pve", "NoAccess"] = True
    assert rules.privileges("a@pve", ["/vms/100", "/pool/game"]) == frozenset()


@pytest.mark.parametrize(
    "path", ["/", "/vms", "/vms/100", "/storage/local-lvm", "/sdn/zones/localnetwork", "/pool/a/b"]
)
def test_proxmox_s_paths_are_paths(path: str) -> None:
    """As its own check has them."""
    assert is_path(path)


@pytest.mark.parametrize("path", ["/vms/7", "/vms/x", "/moon", "vms", "/storage/a/b"])
def test_others_are_not(path: str) -> None:
    """A grant on one is refused."""
    assert not is_path(path)
