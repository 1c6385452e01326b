"""The cloud VM component."""

import pytest

from components.compute import CloudVm
from components.specs import CloudVmSpec
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fakes.workload_specs import ORDER_ID, OTHER_SSH_KEY, SSH_KEY, cloud_vm

VM = "proxmoxve:index/vmLegacy:VmLegacy"


def build(spec: CloudVmSpec) -> Program:
    """Return what the component declares for ``spec``."""
    return run_program(lambda: CloudVm("workload", spec).outputs)


class TestPlacement:
    def test_the_machine_is_cloned_where_it_was_reserved(self) -> None:
        """Node, VMID and storage are those of the reservation, and the clone depends on no template disk."""
        inputs = build(cloud_vm()).inputs(VM)

        assert inputs["nodeName"] == "pve-vm-1"
        assert inputs["vmId"] == 201
        assert inputs["clone"] == {"vmId": 9000, "datastoreId": "local-zfs", "full": True}

    def test_tags_and_description_carry_the_order(self) -> None:
        """After a crash they prove whose machine it is; tags are sorted as Proxmox VE sorts them."""
        inputs = build(cloud_vm()).inputs(VM)

        assert inputs["tags"] == [f"order-{ORDER_ID}", "slipway"]
        assert inputs["description"] == f"order-{ORDER_ID}"


class TestHardware:
    def test_resources_are_those_ordered(self) -> None:
        """Cores, memory and disk come from the order."""
        inputs = build(cloud_vm()).inputs(VM)

        assert inputs["cpu"] == {"cores": 2, "type": "x86-64-v2-AES"}
        assert inputs["memory"] == {"dedicated": 2048}
        assert inputs["disks"] == [
            {"interface": "scsi0", "datastoreId": "local-zfs", "size": 20, "discard": "on", "iothread": True}
        ]

    def test_the_interface_is_filtered_and_has_a_known_mac(self) -> None:
        """The firewall is on at the interface, and the MAC address is the one the filters were written for."""
        assert build(cloud_vm()).inputs(VM)["networkDevices"] == [
            {"bridge": "vmbr0", "macAddress": "02:53:00:00:00:C9", "model": "virtio", "firewall": True}
        ]


class TestCloudInit:
    def test_user_keys_addresses_and_nameservers_are_given(self) -> None:
        """The first boot finds the user, the keys, both static addresses and the resolvers."""
        assert build(cloud_vm(ssh_keys=(SSH_KEY, OTHER_SSH_KEY))).inputs(VM)["initialization"] == {
            "datastoreId": "local-zfs",
            "interface": "ide2",
            "userAccount": {"username": "ada", "keys": [SSH_KEY, OTHER_SSH_KEY]},
            "ipConfigs": [
                {
                    "ipv4": {"address": "203.0.113.25/24", "gateway": "203.0.113.1"},
                    "ipv6": {"address": "2001:db8:0:19::2/64", "gateway": "fe80::1"},
                }
            ],
            "dns": {"domain": "play.example", "servers": ["9.9.9.9", "2620:fe::fe"]},
        }

    def test_the_machine_is_named_after_the_hostname(self) -> None:
        """Cloud-init takes the host name from the machine's name."""
        assert build(cloud_vm()).inputs(VM)["name"] == "build-box"


class TestLife:
    @pytest.mark.parametrize("started", [True, False])
    def test_a_stopped_machine_stays_off_when_its_node_restarts(self, *, started: bool) -> None:
        """Start at boot follows the desired power state, so a suspended customer does not come back by accident."""
        inputs = build(cloud_vm(started=started)).inputs(VM)

        assert (inputs["started"], inputs["onBoot"]) == (started, started)

    def test_nothing_is_left_to_a_default_that_waits_reboots_or_deletes(self) -> None:
        """What the provider does unasked is decided here: no agent to wait for, no reboot, a complete removal."""
        inputs = build(cloud_vm()).inputs(VM)
        decided = {name: inputs[name] for name in inputs if name in {"agent", "rebootAfterUpdate", "stopOnDestroy"}}

        assert decided == {"agent": {"enabled": False}, "rebootAfterUpdate": False, "stopOnDestroy": True}
        assert (inputs["purgeOnDestroy"], inputs["deleteUnreferencedDisksOnDestroy"]) == (True, True)


class TestOutputs:
    def test_the_stack_learns_id_node_names_and_addresses(self) -> None:
        """Everything that inventory, IPAM and DNS have to know is an output."""
        assert build(cloud_vm()).outputs == {
            "vmid": 201,
            "node": "pve-vm-1",
            "fqdn": "build-box.play.example",
            "hostname": "build-box",
            "ipv4": "203.0.113.25",
            "ipv6": "2001:db8:0:19::2",
        }


def test_the_type_token_is_part_of_every_state_and_stays() -> None:
    """A renamed type would replace every customer's machine."""
    assert [resource.name for resource in build(cloud_vm()).all_of("slipway:compute:CloudVm")] == ["workload"]
