"""What the lab still has after a restart."""

from pathlib import Path

import pytest
from cloudflare import Cloudflare
from proxmoxer import ProxmoxAPI
from proxmoxer.tools import Tasks

from lab.client import RunningLab, start
from lab.memory import Memory

pytestmark = pytest.mark.processes

VMID = 100_001


def _clone(lab: RunningLab) -> None:
    api = lab.truth.node("cloud-1")
    node = api.nodes("cloud-1")
    _finish(api, node.qemu(9000).clone.post(newid=VMID, name="kept", full=1))
    _finish(api, node.qemu(VMID).status.start.post())
    node.qemu(VMID).config.put(tags="slipway")
    node.qemu(VMID).firewall.options.put(enable=1)
    node.network.post(iface="vmbr1", type="bridge")
    api.cluster.sdn.zones.post(zone="lans", type="vxlan", peers="10.10.16.11")


def _finish(api: ProxmoxAPI, task: str) -> None:
    assert Tasks.blocking_status(api, task, timeout=20, polling_interval=0.05)["exitstatus"] == "OK"


def test_guests_and_records_outlive_a_restart(tmp_path: Path) -> None:
    """As the things that they stand in for do, changes that wait included; a template is there once."""
    with start(tmp_path, nodes="cloud=1") as lab:
        _clone(lab)
        zone = lab.document.cloudflare
        with Cloudflare(api_token=zone.api_token, base_url=zone.base_url) as client:
            client.dns.records.create(zone_id=zone.zone_id, name="kept", type="A", content="203.0.113.5", ttl=300)
        volumes, guests = lab.truth.volumes("cloud-1"), lab.truth.guests(templates=True)
        records = lab.truth.records()
        written = lab.truth.node_leftovers("cloud-1")
    with start(tmp_path, nodes="cloud=1") as again:
        assert again.truth.guests(templates=True) == guests
        assert again.truth.volumes("cloud-1") == volumes
        assert again.truth.records() == records
        assert again.truth.node_leftovers("cloud-1") == written
        assert (written["interfaces"], written["zones"]) == (["vmbr1"], ["lans"])
        kept = again.truth.guest(VMID)
        assert kept is not None
        assert (kept.status, again.truth.firewall(kept)["options"]["enable"]) == ("running", 1)


def test_what_was_kept_is_recalled_once(tmp_path: Path) -> None:
    """A stand-in that is killed later does not come back with an older world."""
    memory = Memory(str(tmp_path / "memory"))
    assert memory.recall() is None
    memory.keep({"a": 1})
    assert (tmp_path / "memory").stat().st_mode & 0o077 == 0
    assert memory.recall() == {"a": 1}
    assert memory.recall() is None
    Memory("").keep("nothing")
    assert Memory("").recall() is None
