"""Changes to a workload on the real engine and plugins: what they do to what is there, and what is left in the end.

The lab plays Proxmox VE and Cloudflare.
"""

from pathlib import Path

import pytest

from automation.toolchain import Toolchain
from components.specs import CloudVmSpec, PortRule, Protocol, Resources, parse_guest_spec
from lab.client import RunningLab
from tests.fakes.workload_specs import OTHER_SSH_KEY, SSH_KEY
from tests.fixtures.delivered_workload import CONTAINER, VM, changed, delivered_workload
from tests.fixtures.lab_workloads import KINDS

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("kind", KINDS)
def test_a_workload_changes_in_place_and_leaves_nothing(
    kind: str, lab: RunningLab, toolchain: Toolchain, tmp_path: Path
) -> None:
    """Stop, start, resize, a new port and a new SSH key never replace the guest; destroy leaves nothing behind."""
    resource = VM if kind == "cloud_vm" else CONTAINER
    truth, volumes_before = lab.truth, {node.name: lab.truth.volumes(node.name) for node in lab.document.proxmox.nodes}

    def status(vmid: int) -> str:
        guest = truth.guest(vmid)
        return "absent" if guest is None else guest.status

    with delivered_workload(kind, lab, toolchain, tmp_path / "stack") as workload:
        stack, spec, vmid = workload.stack, workload.spec, workload.spec.placement.vmid

        stopped = changed(spec, started=False)
        assert [step[:2] for step in stack.up(stopped).steps] == [("update", resource)]
        assert status(vmid) == "stopped"
        assert stack.preview(stopped, refresh=True).steps == ()

        assert [step[:2] for step in stack.up(spec).steps] == [("update", resource)]
        assert status(vmid) == "running"

        size = Resources(cores=4, memory_mib=8192, disk_gib=spec.resources.disk_gib)
        bigger = changed(spec, resources=size)
        assert [step[:2] for step in stack.up(bigger).steps] == [("update", resource)]
        assert stack.preview(bigger, refresh=True).steps == ()
        guest = truth.guest(vmid)
        assert guest is not None
        assert (int(guest.config["cores"]), int(guest.config["memory"])) == (4, 8192)

        assert stack.up(changed(bigger, ssh_keys=(SSH_KEY, OTHER_SSH_KEY))).steps == ()

        port = PortRule(protocol=Protocol.TCP, first=8443, last=8443, comment="Panel")
        opened = changed(bigger, network=bigger.network.model_copy(update={"open_ports": (port,)}).model_dump())
        assert stack.up(opened).by_operation("update") == ["proxmoxve:firewall/rulesLegacy:RulesLegacy"]
        assert stack.preview(opened, refresh=True).steps == ()

    assert status(vmid) == "absent"
    assert truth.records(spec.dns.fqdn) == {}
    assert {node: truth.volumes(node) for node in volumes_before} == volumes_before


def test_a_disk_grows_on_a_machine_that_runs(lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> None:
    """More disk is a resize, not a new machine."""
    with delivered_workload("cloud_vm", lab, toolchain, tmp_path / "stack") as workload:
        spec = workload.spec
        assert isinstance(spec, CloudVmSpec)
        size = spec.resources.model_copy(update={"disk_gib": 40})
        bigger = changed(spec, resources=size.model_dump())

        assert [step[:2] for step in workload.stack.up(bigger).steps] == [("update", VM)]
        assert workload.stack.preview(bigger, refresh=True).steps == ()
        guest = lab.truth.guest(spec.placement.vmid)
        assert guest is not None
        assert "size=40G" in guest.config["scsi0"]


def test_a_newer_template_rebuilds_nobody(lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> None:
    """The registry moves on; a customer's disk stays."""
    with delivered_workload("cloud_vm", lab, toolchain, tmp_path / "stack") as workload:
        assert workload.stack.preview(changed(workload.spec, template_vmid=9001)).steps == ()


def test_a_changed_address_set_is_replaced_by_the_new_one(
    lab: RunningLab, toolchain: Toolchain, tmp_path: Path
) -> None:
    """The set's name is taken while the old one lives, so the old one goes first."""
    with delivered_workload("minecraft", lab, toolchain, tmp_path / "stack") as workload:
        spec = workload.spec
        document = spec.model_dump(mode="json")
        document["network"]["ipv4"]["address"] = "203.0.113.77"
        moved = parse_guest_spec(document)

        changes = workload.stack.up(moved)
        guest = lab.truth.guest(spec.placement.vmid)
        assert guest is not None
        assert "203.0.113.77" in lab.truth.firewall(guest)["ipset"]["ipfilter-net0"]
        assert CONTAINER in changes.by_operation("update")
        assert lab.truth.records(spec.dns.fqdn)[(spec.dns.fqdn, "A")] == ["203.0.113.77"]
        assert workload.stack.preview(moved, refresh=True).steps == ()


@pytest.mark.parametrize("kind", ["cloud_vm", "bot"])
def test_a_guest_that_somebody_removed_does_not_stop_the_destroy(
    kind: str, lab: RunningLab, toolchain: Toolchain, tmp_path: Path
) -> None:
    """Destroy is a desired state: with a refresh it succeeds though the guest is gone already, and takes the names."""
    with delivered_workload(kind, lab, toolchain, tmp_path / "stack") as workload:
        guest = lab.truth.guest(workload.spec.placement.vmid)
        assert guest is not None
        api = getattr(lab.truth.node(guest.node).nodes(guest.node), guest.kind)(guest.vmid)
        api.status.stop.post()
        api.delete()
        assert lab.truth.guest(guest.vmid) is None

        workload.stack.destroy()

        assert lab.truth.records(workload.spec.dns.fqdn) == {}
