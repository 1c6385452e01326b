"""Warming a process that forks engine children."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

PROBE = """
import os, sys
from stacks.workload.preload import preload
names = preload()
assert all(name in sys.modules for name in names), names
assert len(os.listdir("/proc/self/task")) == 1, "a thread was started"
child = os.fork()
if child == 0:
    from stacks.workload.program import COMPONENTS
    os._exit(0 if len(COMPONENTS) == 4 else 1)
assert os.waitpid(child, 0)[1] == 0
print(*names)
"""


def test_the_sdks_are_in_memory_and_the_process_can_still_fork() -> None:
    """A forked child of a process with threads may hang; preloading starts none."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    assert {"pulumi_cloudflare", "pulumi_proxmoxve", "pulumi.automation"} <= set(done.stdout.split())
