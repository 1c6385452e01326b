"""What the ``nodes`` stack may be configured with, and what it may not."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.specs.platform.node_access import ROLES, control_plane_grants
from components.specs.platform.node_firewall import NodeFirewallSpec
from components.specs.platform.nodes import NodesSpec

LAB = Path(__file__).parents[4] / "Pulumi.lab-nodes.yaml"


def document() -> dict[str, Any]:
    """The lab's own configuration."""
    content: dict[str, Any] = yaml.safe_load(LAB.read_text(encoding="utf-8"))
    return deepcopy(content["config"]["slipway:spec"])


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    """The lab's configuration with another value at one place."""
    whole = document()
    place: Any = whole
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return whole


def test_the_lab_s_configuration_is_one() -> None:
    """One node of each class."""
    spec = NodesSpec.model_validate(document())
    assert [node.workload_class for node in spec.nodes] == ["game", "bot", "cloud"]


def test_a_node_is_reported_with_its_hardware_and_storages() -> None:
    """The storage that every installation has is among them."""
    node = NodesSpec.model_validate(document()).nodes[2]
    report = node.report("https://192.0.2.10:8006")
    assert (report.cores, report.reserve_memory_mib, report.server_number) == (32, 8192, 321_003)
    assert [(item.name, item.kind) for item in report.storages] == [
        ("local", "dir"),
        ("local-lvm", "lvmthin"),
        ("images", "dir"),
    ]


THIN = {"kind": "lvmthin", "name": "local-lvm"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("nodes", 0, "workload_class"), "web", r"'game', 'bot' or 'cloud'"),
        (("nodes", 1, "name"), "game-1", r"nodes: two have the name 'game-1': give one of them another"),
        (("nodes", 1, "server_number"), 321_001, r"nodes: two have the server_number '321001'"),
        (("nodes", 1, "private_address"), "10.10.16.11", r"nodes: two have the private_address '10.10.16.11'"),
        (("nodes", 0, "endpoint"), "http://node:8006", r"pattern"),
        (("nodes", 0, "storage"), "ceph", r"storage: 'ceph' is none of 'storages'"),
        (("nodes", 0, "reserve_cores"), 32, r"reserve_cores: nothing would be left for guests"),
        (("nodes", 0, "storages"), [THIN, THIN], r"storages: two have the name 'local-lvm'"),
        (("nodes", 0, "storages"), [{**THIN, "content": ["iso"]}], r"'lvmthin' cannot hold iso"),
        (("nodes", 0, "storages"), [{**THIN, "content": ["images"]}], r"does not hold 'rootdir'.*class 'game'"),
        (("nodes", 0, "storages"), [{**THIN, "name": "local"}], r"'local' is on every node already"),
        (("nodes", 0, "storages"), [{**THIN, "kind": "nfs"}], r"'dir', 'lvmthin', 'zfspool'"),
        (("nodes", 0, "storages"), [{"kind": "dir", "name": "iso", "path": "srv"}], r"pattern"),
        (("nodes", 0, "token_rotation"), 0, r"greater than or equal to 1"),
        (("firewall", "groups"), [], r"no rule lets anybody in to port 8006"),
        (("metric_servers",), [{"name": "a", "kind": "influxdb", "server": "x", "port": 0}], r"greater than"),
    ],
)
def test_what_cannot_be_is_refused(path: tuple[str | int, ...], value: Any, message: str) -> None:
    """The field is named, and the fix where there is one."""
    with pytest.raises(ValidationError, match=message):
        NodesSpec.model_validate(changed(*path, value=value))


def test_a_firewall_that_is_off_needs_no_rules() -> None:
    """And one with the API's port in a range is usable."""
    assert not NodeFirewallSpec(is_enabled=False).groups
    rule = {"protocol": "tcp", "ports": "22,8000:8010"}
    NodeFirewallSpec.model_validate({"groups": [{"name": "management", "rules": [rule]}]})


def test_ports_without_a_protocol_and_groups_of_one_name_are_refused() -> None:
    """Proxmox VE would refuse the first, and forget one of the second."""
    with pytest.raises(ValidationError, match="'ports' are of 'tcp' or 'udp'"):
        NodeFirewallSpec.model_validate({"groups": [{"name": "management", "rules": [{"ports": "8006"}]}]})
    group = {"name": "management", "rules": [{"protocol": "tcp"}]}
    with pytest.raises(ValidationError, match="two are named 'management'"):
        NodeFirewallSpec.model_validate({"groups": [group, group]})


def test_the_control_plane_may_use_templates_and_not_change_them() -> None:
    """A deeper path's role stands in for the one from above."""
    grants = {grant.path: grant.role for grant in control_plane_grants("cloud-1", ["local-lvm"], [9000])}
    assert "VM.Allocate" in ROLES[grants["/vms"]]
    assert set(ROLES[grants["/vms/9000"]]) == {"VM.Audit", "VM.Clone"}
    assert set(ROLES[grants["/storage/local"]]) == {"Datastore.Audit"}


def test_nothing_that_is_granted_changes_the_host() -> None:
    """No role has a privilege over the host's settings, users, or storages' configuration."""
    granted = {privilege for role in ROLES.values() for privilege in role}
    assert not granted & {"Sys.Modify", "Sys.PowerMgmt", "Sys.Console", "Permissions.Modify", "User.Modify"}
    assert not granted & {"Datastore.Allocate", "Realm.AllocateUser", "SDN.Allocate", "Pool.Allocate"}
