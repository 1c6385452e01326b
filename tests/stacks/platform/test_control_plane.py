"""What the control plane stack tells Inventory, and whom it asks by name."""

import pulumi
import pytest

from components.specs.platform.control_plane import ControlPlaneSpec
from stacks.platform.control_plane import hosts, named
from tests.fixtures.platform_stacks import lab_spec


def test_every_server_is_measured_by_its_role() -> None:
    """Prometheus finds the exporters that the first boot installs and the host's firewall lets through."""
    spec = ControlPlaneSpec.model_validate(lab_spec("lab-control-plane"))
    told = {host.name: (host.role, host.address, host.exporters) for host in hosts(spec)}
    assert told["api-1"] == ("api", "10.10.0.11", {"node": 9100, "api": 8000})
    assert told["worker-2"] == ("worker", "10.10.0.22", {"node": 9100})
    assert told["postgres-2"] == ("postgres", "10.10.0.32", {"node": 9100, "postgres": 9187})
    assert told["redis-1"] == ("redis", "10.10.0.41", {"node": 9100, "redis": 9121})
    assert len(told) == 7


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    """In one sentence."""
    assert named({"control": 1}, "control", "firewall") == 1
    with pytest.raises(pulumi.RunError, match="no firewall 'contrl'; it has: bastion, control"):
        named({"control": 1, "bastion": 2}, "contrl", "firewall")
