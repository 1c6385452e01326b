"""Guests' addresses."""

from typing import TYPE_CHECKING

import pytest
from proxmoxer import ResourceException
from proxmoxer.tools import Tasks

if TYPE_CHECKING:
    from lab.client import RunningLab


def test_the_agent_of_a_running_vm_reports_its_cloud_init_addresses(lab: "RunningLab") -> None:
    """Only while it runs, and only where the configuration turns the agent on."""
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    node.qemu(9000).clone.post(newid=1000)
    vm = node.qemu(1000)
    vm.config.put(ipconfig0="ip=203.0.113.7/25,gw=203.0.113.1,ip6=2001:db8:1000:7::1/64,gw6=fe80::1")
    with pytest.raises(ResourceException, match="QEMU guest agent is not running"):
        vm.agent("network-get-interfaces").get()
    vm.status.start.post()
    found = {item["name"]: item["ip-addresses"] for item in vm.agent("network-get-interfaces").get()["result"]}
    assert found["eth0"] == [
        {"ip-address": "203.0.113.7", "ip-address-type": "ipv4", "prefix": 25},
        {"ip-address": "2001:db8:1000:7::1", "ip-address-type": "ipv6", "prefix": 64},
    ]


@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_a_container_has_the_os_type_that_its_creation_names(lab: "RunningLab", delay: float) -> None:
    """Otherwise the provider would want to change it for ever; without one the template decides."""
    lab.faults.proxmox.set_task_delay(delay)
    node = lab.truth.node("bot-1").nodes("bot-1")
    template = "local:vztmpl/node-bot-22_amd64.tar.zst"
    for vmid, kind, expected in ((1002, "alpine", "alpine"), (1003, None, "unmanaged")):
        upid = node.lxc.post(vmid=vmid, ostemplate=template, rootfs="local-lvm:4", ostype=kind)
        assert Tasks.blocking_status(lab.truth.node("bot-1"), upid, polling_interval=0.05)["exitstatus"] == "OK"
        assert node.lxc(vmid).config.get()["ostype"] == expected


def test_a_vm_with_the_agent_off_has_none(lab: "RunningLab") -> None:
    """The provider must not be told addresses by an agent that is not there."""
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    node.qemu(9000).clone.post(newid=1001)
    node.qemu(1001).config.put(agent="enabled=0")
    node.qemu(1001).status.start.post()
    with pytest.raises(ResourceException, match="QEMU guest agent is not running"):
        node.qemu(1001).agent("network-get-interfaces").get()
