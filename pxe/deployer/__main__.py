"""``python -m pxe.deployer``: build kernel and initrd, or find them in the cache, and print where they are."""

import argparse
import sys

from pxe.deployer.build import ensure_deployer
from pxe.deployer.errors import DeployerError
from pxe.deployer.recipe import CLOUD, IRON


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pxe.deployer", description=__doc__)
    parser.add_argument(
        "--iron", action="store_true", help="with drivers of real servers, not of virtual machines only"
    )
    parser.add_argument("--refresh", action="store_true", help="build anew, with the newest packages")
    chosen = parser.parse_args(arguments)
    try:
        built = ensure_deployer(IRON if chosen.iron else CLOUD, refresh=chosen.refresh)
    except DeployerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{built.kernel_sha256}  {built.kernel}\n{built.initrd_sha256}  {built.initrd}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
