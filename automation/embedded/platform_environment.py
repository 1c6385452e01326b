"""``platform.env``: what an engine needs for the platform stacks of an embedded system; a shell can read it."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from automation.embedded.home import PLATFORM, Home, write_private


def read_platform_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a system's folder; none if it does not run."""
    try:
        text = (folder / PLATFORM).read_text()
    except FileNotFoundError:
        return {}
    assignments = (word.partition("=") for word in shlex.split(text, comments=True))  # as a shell reads it
    return {name: value for name, _, value in assignments if value}


def write_platform_environment(home: Home, own: Mapping[str, str]) -> None:
    """Write the lab's credentials, if there is a lab, and the system's own, for this user's eyes only."""
    lab = read_platform_environment(home.lab)
    lines = ["# Made by `slipway up`, for as long as it runs. Whoever reads this can change everything."]
    lines += [f"{name}={shlex.quote(value)}" for name, value in sorted({**lab, **own}.items())]
    write_private(home.platform, "\n".join(lines) + "\n")
