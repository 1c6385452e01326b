"""``python -m automation.toolchain``: find or make the toolchain; ``... doctor``: say what there is."""

import argparse
import sys

from automation.toolchain.display import progress_for
from automation.toolchain.doctor import print_report, report
from automation.toolchain.ensure import ensure_toolchain
from automation.toolchain.find import ToolchainMissingError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m automation.toolchain", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("ensure", "doctor"), default="ensure")
    if parser.parse_args(arguments).command == "doctor":
        found = report()
        print_report(found)
        return 0 if found.complete else 1
    try:
        ensure_toolchain(progress_for())
    except ToolchainMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
