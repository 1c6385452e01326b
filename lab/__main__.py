"""``python -m lab --state-dir DIR``: the outside world until Ctrl-C, SIGTERM or the parent's end."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from lab.estate import ipv4_subnets, parse_nodes
from lab.running import DOCUMENT, ESTATE, PLATFORM, Wanted, run
from lab.supervisor import LabError, Supervisor

MOST_POOL_SERVERS = 50
MOST_MACHINES = 8
"""Each is a whole machine of QEMU's."""
WATCH_INTERVAL = 0.25
"""Seconds between two looks at the stand-ins and at the parent process."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; ends the process with a message for a bad one."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument(
        "--state-dir", type=Path, required=True, help="folder for lab.json, platform.env, estate.json and logs"
    )
    parser.add_argument("--nodes", default="game=2,bot=1,cloud=2", help="Proxmox nodes of each class")
    parser.add_argument("--pool-size", type=int, default=250, metavar="N", help="IPv4 guest addresses")
    parser.add_argument("--task-delay", type=float, default=0.0, metavar="SECONDS", help="how long tasks take")
    parser.add_argument("--pool-servers", type=int, default=2, metavar="N", help="blank dedicated servers of the pool")
    parser.add_argument("--metal", type=int, default=0, metavar="N", help="machines that boot (root and QEMU)")
    parser.add_argument(
        "--metal-debian", action="store_true", help="a real Debian for them (minutes, once; mmdebstrap)"
    )
    parser.add_argument("--bare", action="store_true", help="blank nodes, no zone, no estate.json")
    parser.add_argument(
        "--installed", action="store_true", help="with --bare: the zone is there, nodes are freshly installed"
    )
    parser.add_argument("--outlive-parent", action="store_true", help="keep running when the parent process ends")
    options = parser.parse_args(arguments)
    try:
        options.nodes = parse_nodes(options.nodes)
        ipv4_subnets(options.pool_size)
    except ValueError as error:
        parser.error(str(error))
    if not 0 <= options.task_delay <= 3600:  # noqa: PLR2004 - an hour is more than any task takes
        parser.error(f"task-delay: {options.task_delay} is out of range; give 0 to 3600 seconds")
    if not 0 <= options.pool_servers <= MOST_POOL_SERVERS:
        parser.error(f"pool-servers: {options.pool_servers} is out of range; give 0 to {MOST_POOL_SERVERS}")
    if not 0 <= options.metal <= MOST_MACHINES:
        parser.error(f"metal: {options.metal} is out of range; give 0 to {MOST_MACHINES}")
    return options


def watch(supervisor: Supervisor, ended: threading.Event, parent: int | None) -> None:
    """Wait until told to end, the parent is gone, or a stand-in has broken.

    Raises:
        LabError: in the last case, with the end of its log.
    """
    while not ended.wait(WATCH_INTERVAL):
        broken = supervisor.failed()
        if broken is not None:
            raise LabError(f"{broken.module} ended unexpectedly; its log ends:\n{broken.log_tail()}")
        if parent is not None and os.getppid() != parent:
            return


def main() -> int:
    """Run the lab and return the exit status."""
    # Read first: a parent that dies while the stand-ins start must be missed too.
    parent: int | None = os.getppid()
    options = parse(sys.argv[1:])
    if options.outlive_parent:
        parent = None
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    wanted = Wanted(
        options.nodes,
        options.pool_size,
        options.task_delay,
        options.pool_servers,
        options.bare,
        options.installed,
        options.metal,
        options.metal_debian,
    )
    try:
        with run(options.state_dir, wanted) as (_, supervisor):
            where = options.state_dir
            written = (DOCUMENT, PLATFORM) if options.bare else (DOCUMENT, PLATFORM, ESTATE)
            sys.stdout.write(f"lab ready: {' '.join(str(where / name) for name in written)}\n")
            sys.stdout.flush()
            watch(supervisor, ended, parent)
    except LabError as error:
        sys.stderr.write(f"lab: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
