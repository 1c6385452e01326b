"""``proxmoxer`` drives the nodes as it would drive Proxmox VE."""

from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ProxmoxAPI, ResourceException
from proxmoxer.tools import Tasks

if TYPE_CHECKING:
    from lab.client import RunningLab

GAME_TEMPLATE = "local:vztmpl/minecraft-java-1.21_amd64.tar.zst"
NET = "name=eth0,bridge=vmbr0,firewall=1,ip=203.0.113.5/25,gw=203.0.113.1,ip6=2001:db8:1000:5::1/64,gw6=fe80::1"


@pytest.fixture
def cloud(lab: "RunningLab") -> ProxmoxAPI:
    """A client of a cloud node."""
    return lab.truth.node("cloud-1")


@pytest.fixture
def game(lab: "RunningLab") -> ProxmoxAPI:
    """A client of a game node."""
    return lab.truth.node("game-1")


def finished(api: ProxmoxAPI, upid: str) -> dict[str, Any]:
    """The task's result; fails if it did not end well."""
    status: dict[str, Any] = Tasks.blocking_status(api, upid, timeout=20, polling_interval=0.05)
    assert status["exitstatus"] == "OK", status
    return status


def clone(api: ProxmoxAPI, vmid: int, *, full: int = 0) -> Any:
    """A clone of the Debian template, not started; returns its resource."""
    node = api.nodes("cloud-1")
    finished(api, node.qemu(9000).clone.post(newid=vmid, name=f"vm-{vmid}", full=full))
    return node.qemu(vmid)


def container(api: ProxmoxAPI, vmid: int, **more: Any) -> Any:
    """A running game container; returns its resource."""
    fields = {"ostemplate": GAME_TEMPLATE, "hostname": f"ct-{vmid}", "net0": NET, "rootfs": "local-lvm:8", **more}
    finished(api, api.nodes("game-1").lxc.post(vmid=vmid, cores=2, memory=2048, start=1, **fields))
    return api.nodes("game-1").lxc(vmid)


@pytest.mark.parametrize("full", [0, 1])
def test_a_template_is_cloned_configured_grown_started_and_destroyed(
    lab: "RunningLab", cloud: ProxmoxAPI, full: int
) -> None:
    """The life of a cloud VM, and nothing left of it on the storage."""
    vm = clone(cloud, 1000, full=full)
    vm.config.put(
        cores=2,
        memory=4096,
        net0="virtio,bridge=vmbr0,firewall=1",
        ide2="local-lvm:cloudinit",
        ciuser="debian",
        ipconfig0="ip=203.0.113.5/25,gw=203.0.113.1",
        tags="slipway,Order-1",
    )
    finished(cloud, vm.resize.put(disk="scsi0", size="20G"))
    finished(cloud, vm.status.start.post())
    guest = lab.truth.guest(1000)
    assert guest is not None
    assert (guest.status, guest.kind, guest.tags) == ("running", "qemu", ("order-1", "slipway"))
    assert guest.config["scsi0"] == "local-lvm:vm-1000-disk-0,size=20G"
    assert lab.truth.volumes("cloud-1") == ["local-lvm:vm-1000-cloudinit", "local-lvm:vm-1000-disk-0"]
    finished(cloud, vm.status.stop.post())
    finished(cloud, vm.delete(**{"purge": 1, "destroy-unreferenced-disks": 1}))
    assert lab.truth.guests() == []
    assert lab.truth.volumes("cloud-1") == []


def test_power_actions_change_the_status(cloud: ProxmoxAPI) -> None:
    """Start, reboot, shutdown, stop."""
    vm = clone(cloud, 1001)
    for action, status in (("start", "running"), ("reboot", "running"), ("shutdown", "stopped")):
        finished(cloud, getattr(vm.status, action).post())
        assert vm.status.current.get()["status"] == status


def test_a_container_runs_with_its_addresses_and_is_destroyed(lab: "RunningLab", game: ProxmoxAPI) -> None:
    """The life of a game server: its static addresses are on its interfaces."""
    ct = container(game, 2000, tags="slipway;order-2")
    found = {item["name"]: item for item in ct.interfaces.get()}
    assert {entry["ip-address"] for entry in found["eth0"]["ip-addresses"]} == {"203.0.113.5", "2001:db8:1000:5::1"}
    guest = lab.truth.guest(2000)
    assert guest is not None
    assert (guest.status, guest.kind, guest.tags) == ("running", "lxc", ("order-2", "slipway"))
    finished(game, ct.delete(force=1, purge=1))
    assert lab.truth.guests() == []


@pytest.mark.parametrize("kind", ["qemu", "lxc"])
def test_a_guest_s_firewall_is_kept_and_goes_with_it(
    lab: "RunningLab", cloud: ProxmoxAPI, game: ProxmoxAPI, kind: str
) -> None:
    """Options, rules in order and the anti-spoofing set; the next guest of that id has none of it."""
    guest = clone(cloud, 1002) if kind == "qemu" else container(game, 1002)
    api = cloud if kind == "qemu" else game
    guest.firewall.options.put(enable=1, ipfilter=1, macfilter=1, policy_in="DROP", policy_out="ACCEPT")
    guest.firewall.ipset.post(name="ipfilter-net0")
    guest.firewall.ipset("ipfilter-net0").post(cidr="203.0.113.5")
    guest.firewall.rules.post(type="in", action="ACCEPT", proto="tcp", dport="22", enable=1)
    guest.firewall.rules.post(type="in", action="ACCEPT", proto="udp", dport="27015", enable=1)
    there = lab.truth.guest(1002)
    assert there is not None
    firewall = lab.truth.firewall(there)
    assert [rule["dport"] for rule in firewall["rules"]] == ["27015", "22"]
    assert firewall["ipset"] == {"ipfilter-net0": ["203.0.113.5"]}
    assert (firewall["options"]["ipfilter"], firewall["options"]["policy_in"]) == (1, "DROP")
    finished(api, guest.delete() if kind == "qemu" else guest.delete(force=1))
    again = clone(cloud, 1002) if kind == "qemu" else container(game, 1002)
    assert again.firewall.rules.get() == []
    assert again.firewall.ipset.get() == []


def test_two_nodes_know_nothing_of_each_other(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """They are independent hosts, not a cluster: the same VMID may exist on both."""
    clone(cloud, 1003)
    other = lab.truth.node("cloud-2")
    assert [node["node"] for node in other.nodes.get()] == ["cloud-2"]
    finished(other, other.nodes("cloud-2").qemu(9001).clone.post(newid=1003))
    assert [(guest.node, guest.vmid) for guest in lab.truth.guests()] == [("cloud-1", 1003), ("cloud-2", 1003)]


def test_a_taken_vmid_is_refused_in_proxmox_s_words(cloud: ProxmoxAPI) -> None:
    """The message is the one that recovery looks for."""
    clone(cloud, 1004)
    with pytest.raises(ResourceException, match="config file already exists"):
        clone(cloud, 1004)


def test_a_wrong_token_is_refused(lab: "RunningLab") -> None:
    """401, as Proxmox VE answers; the token of one node does not open another."""
    from lab.truth import proxmox_client  # noqa: PLC0415 - the SDKs are imported by tests of the lab only

    first, second = lab.document.proxmox.nodes[:2]
    stranger = first.model_copy(update={"api_token": second.api_token})
    with pytest.raises(ResourceException, match="401"):
        proxmox_client(stranger, lab.document.proxmox.ca_file).nodes.get()


def test_a_node_reports_the_size_that_the_estate_says(cloud: ProxmoxAPI) -> None:
    """Placement that looks at the node sees the capacity that inventory knows."""
    (node,) = cloud.nodes.get()
    assert (node["maxcpu"], node["maxmem"]) == (32, 131_072 * 1024**2)
