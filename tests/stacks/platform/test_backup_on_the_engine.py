"""The backup stack on the real engine and plugins, against the lab's backup server and nodes."""

import json

import pulumi
import pytest
from proxmoxer import ProxmoxAPI
from pulumi import automation as auto

from components.pbs.targets import USER
from lab.client import RunningLab
from tests.fixtures.backup_server import by_hand, third_party
from tests.fixtures.small_estate import SmallEstate, configured, pending, program_of

__all__ = ["by_hand"]

# The stock Automation API leaves an event loop behind at each run.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

STACK, NODES = "lab-backup", ("game-1", "cloud-1")


def wanted() -> dict[str, object]:
    """The lab's configuration, with two of the nodes."""
    document = configured(STACK)
    return {**document, "nodes": [node for node in document["nodes"] if node["name"] in NODES]}


@pytest.fixture
def estate(small_estate: SmallEstate, lab: RunningLab, monkeypatch: pytest.MonkeyPatch) -> SmallEstate:
    """An estate whose network and nodes are there; the program runs in this process and reads its environment."""
    for name in ("HCLOUD_TOKEN", "HCLOUD_ENDPOINT", "PBS_FINGERPRINT"):
        monkeypatch.setenv(name, lab.platform[name])
    endpoints = {node.name: node.endpoint for node in lab.document.proxmox.nodes}

    def nodes() -> None:
        pulumi.export("nodes", {name: {"endpoint": endpoints[name], "verify_tls": False} for name in NODES})

    small_estate.stack("lab-nodes").up(program=nodes)
    return small_estate


def test_backups_come_stay_are_put_right_and_go(estate: SmallEstate, lab: RunningLab, by_hand: ProxmoxAPI) -> None:
    """Each node has a way to its own namespace; no secret is in the state; what somebody changes is seen."""
    stack, program = estate.stack(STACK), program_of(STACK, wanted())
    stack.up(program=program)

    assert [item["ns"] for item in by_hand("admin/datastore/main/namespace").get()] == ["", *sorted(NODES)]
    for name in NODES:
        node = lab.truth.node(name)
        (storage,) = [item for item in node.storage.get() if item["type"] == "pbs"]
        assert (storage["namespace"], storage["username"]) == (name, f"{USER}!{name}")
        assert [job["storage"] for job in node.cluster.backup.get()] == ["pbs"]
    state = json.dumps(stack.export_stack().deployment)
    assert lab.document.pbs.password not in state
    assert all(f'"password": "{node.password}' not in state for node in lab.document.proxmox.nodes)
    assert (pending(stack, program, refresh=False), pending(stack, program, refresh=True)) == ([], [])

    by_hand.config.prune("main-prune").put(**{"keep-last": 99})
    by_hand.access.users(USER).token("game-1").delete()
    changed = sorted((step, kind.rpartition(":")[2]) for step, kind, _ in pending(stack, program, refresh=True))
    assert changed == [("create", "BackupTarget"), ("update", "PbsSection")]
    stack.up(program=program, refresh=True)
    assert by_hand.config.prune("main-prune").get()["keep-last"] == 3
    assert pending(stack, program, refresh=True) == []

    lab.faults.pbs.add_backup("main", "game-1", 100_000)
    with pytest.raises(auto.CommandError, match="holds backups of 1 guests"):
        stack.destroy()
    lab.faults.pbs.clear_backups()
    stack.destroy()
    assert (by_hand.config.datastore.get(), by_hand.config.prune.get()) == ([], [])
    assert [user["userid"] for user in third_party(lab.document.pbs).access.users.get()] == ["root@pam"]
    assert all("pbs" not in {item["type"] for item in lab.truth.node(name).storage.get()} for name in NODES)
