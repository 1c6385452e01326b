"""The policy pack under the real CLI, as somebody at a terminal uses it."""

import json
import subprocess
from pathlib import Path

import pytest

from automation.toolchain import Toolchain
from components.specs import BotSpec, CloudVmSpec, GameServerSpec
from lab.client import RunningLab
from tests.fixtures.by_hand import Project
from tests.fixtures.lab_workloads import credentials, spec_of

pytestmark = pytest.mark.engine

POOLS = json.dumps(["203.0.113.0/24", "2001:db8::/32"])
PROGRAM = """
from pulumi_proxmoxve import firewall

WANTED = {"node_name": "cloud-1", "vm_id": 201, "enabled": True, "input_policy": "DROP", "macfilter": True}
SILENT = {"dhcp": False, "radv": False}
firewall.OptionsLegacy("good", ipfilter=True, **WANTED, **SILENT)
firewall.OptionsLegacy("bad", ipfilter=False, **WANTED, **SILENT)
"""


@pytest.fixture
def project(lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> Project:
    """A copy of our project, with a stack for a cloud VM and all facts in its configuration."""
    spec = spec_of("cloud_vm", lab)
    project = Project(tmp_path, toolchain, credentials(lab, spec))
    assert project.pulumi("stack", "init", "w-by-hand").returncode == 0
    configure(project, spec, POOLS)
    return project


def configure(project: Project, spec: CloudVmSpec | GameServerSpec | BotSpec, pools: str) -> None:
    """Set the stack's configuration."""
    room = {"cores": 64, "memory_mib": 65_536, "disk_gib": 1000}
    node = json.dumps({"name": spec.placement.node, "class": "cloud", "total": room, "used": room})
    for key, value in {"spec": spec.model_dump_json(), "pools": pools, "node": node}.items():
        assert project.pulumi("config", "set", f"slipway:{key}", value).returncode == 0


def preview(project: Project) -> "subprocess.CompletedProcess[str]":
    """Preview with the pack."""
    return project.pulumi("preview", "--policy-pack", "stacks/policy")


def test_a_workload_of_ours_passes(project: Project) -> None:
    """And the pack says which rule it could not ask."""
    done = preview(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "data-loss: the engine does not tell a policy pack" in done.stdout
    assert "spend-limit: not checked for lack of the price" in done.stdout
    assert "addresses: not checked" not in done.stdout


def test_an_address_outside_the_pools_is_refused(project: Project, lab: RunningLab) -> None:
    """With the service's own words, and an exit code that a script notices."""
    configure(project, spec_of("cloud_vm", lab), json.dumps(["198.51.100.0/24", "2001:db8::/32"]))

    done = preview(project)

    assert done.returncode != 0
    assert "[mandatory]" in done.stdout
    assert "203.0.113.25/32 ('initialization' of VmLegacy 'workload') is in none of our address pools" in done.stdout


def test_the_bad_one_of_two_resources_is_refused_before_anything_is_done(
    project: Project, lab: RunningLab, tmp_path: Path
) -> None:
    """``up`` without a preview is stopped at the resource itself; the good one is not complained about."""
    # The good one may come first; were its guest not there, its failure could end the run before the bad one is judged.
    lab.truth.node("cloud-1").nodes("cloud-1").qemu.post(vmid=201, name="craft", memory=512)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "__main__.py").write_text(PROGRAM)
    project_file = tmp_path / "Pulumi.yaml"
    project_file.write_text(project_file.read_text().replace("main: stacks/start/", "main: bad/"))

    for command in (("preview",), ("up", "--skip-preview", "--yes")):
        done = project.pulumi(*command, "--policy-pack", "stacks/policy")
        assert done.returncode != 0, done.stdout
        assert "OptionsLegacy 'bad' has 'ipfilter' False, and it must be True" in done.stdout
        assert "OptionsLegacy 'good'" not in done.stdout
    assert "::bad" not in project.pulumi("stack", "export").stdout


def test_a_configuration_that_cannot_be_read_ends_it(project: Project) -> None:
    """Rather than a preview that was judged by half of the facts."""
    assert project.pulumi("config", "set", "slipway:pools", "everything").returncode == 0

    done = preview(project)

    assert done.returncode != 0
    assert "'slipway:pools' is not JSON" in done.stdout + done.stderr
