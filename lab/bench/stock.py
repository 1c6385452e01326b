"""The stock Automation API sequence, for comparison: ``python -m lab.bench.stock``.

Reads one JSON request a line, and for each forks a child that does what a tutorial does: ``create_or_select_stack``,
``set_all_config``, ``up``. The SDKs are imported once, before the first fork, so that their import is in neither
side's figures; plugins that outlive the CLI are waited for, so that their time is in both.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import automation

from automation.engine.process import become_subreaper
from automation.engine.programs import workload
from automation.engine.supervision import end_descendants
from stacks.workload.preload import preload


def main() -> None:
    """Serve requests until standard input ends."""
    preload()
    for line in sys.stdin:
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os._exit(_child(json.loads(line)))
        _, status, usage = os.wait4(pid, 0)
        report = {
            "exit": os.waitstatus_to_exitcode(status),
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "wall_seconds": time.monotonic() - began,
        }
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


def _child(request: Mapping[str, Any]) -> int:
    os.setsid()
    become_subreaper()
    os.environ.clear()
    os.environ.update(request["environment"])
    work = Path(request["work_dir"])
    work.mkdir(parents=True)
    try:
        stack = automation.create_or_select_stack(
            request["stack"],
            project_name=request["project"],
            program=workload(request["spec"]),
            opts=automation.LocalWorkspaceOptions(work_dir=str(work), secrets_provider="passphrase"),
        )
        stack.set_all_config({"slipway:spec": automation.ConfigValue(json.dumps(request["spec"]))})
        stack.up()
    finally:
        end_descendants()
    return 0


if __name__ == "__main__":
    main()
