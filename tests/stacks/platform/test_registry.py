"""Which SDKs the programs of the platform stacks load."""

import json
import subprocess
import sys

import pytest

from components.specs.platform import PlatformKind
from stacks.platform.registry import KINDS

NEEDED = {
    PlatformKind.NETWORK: {"pulumi_hcloud"},
    PlatformKind.BARE_METAL_POOL: set(),
    PlatformKind.NODES: {"pulumi_proxmoxve"},
    PlatformKind.EDGE: {"pulumi_hcloud", "pulumi_cloudflare"},
    PlatformKind.CONTROL_PLANE: {"pulumi_hcloud"},
    PlatformKind.BACKUP: {"pulumi_hcloud", "pulumi_proxmoxve"},
    PlatformKind.OBSERVABILITY: {"pulumi_hcloud"},
}


@pytest.mark.processes
@pytest.mark.parametrize("kind", list(PlatformKind))
def test_a_program_loads_the_sdks_that_it_needs_and_no_other(kind: PlatformKind) -> None:
    """Cloudflare's alone takes longer than an engine does with a small stack."""
    module = KINDS[kind].program.partition(":")[0]
    script = f"import sys, json, {module}; print(json.dumps([*sys.modules]))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {name for name in json.loads(answer.stdout) if name.startswith("pulumi_") and "." not in name} == NEEDED[
        kind
    ]
