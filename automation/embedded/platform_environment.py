"""``platform.env``: what an engine needs for the platform stacks of an embedded system; a shell can read it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.embedded.home import PLATFORM, Home, write_private
from automation.embedded.provision import read_json
from components.specs.platform import credential_variable


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
    if not lab and (home.lab / "lab.json").is_file():
        lab = lab_environment(read_json(home.lab / "lab.json"))
    lines = ["# Made by `slipway up`, for as long as it runs. Whoever reads this can change everything."]
    lines += [f"{name}={shlex.quote(value)}" for name, value in sorted({**lab, **own}.items())]
    write_private(home.platform, "\n".join(lines) + "\n")


def lab_environment(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that point the engine's providers at a lab, from its ``lab.json``."""
    hcloud, robot, cloudflare = document["hcloud"], document["robot"], document["cloudflare"]
    found = {
        "HCLOUD_TOKEN": hcloud["tokens"]["slipway"],
        "HCLOUD_ENDPOINT": hcloud["base_url"],
        "HETZNER_ROBOT_URL": robot["base_url"],
        "HETZNER_ROBOT_USER": robot["login"],
        "HETZNER_ROBOT_PASSWORD": robot["password"],
        "HETZNER_ROBOT_POLL_SECONDS": "0.1",
        "CLOUDFLARE_API_TOKEN": cloudflare["api_token"],
        "CLOUDFLARE_BASE_URL": cloudflare["base_url"],
    }
    for node in document["proxmox"]["nodes"]:
        found[credential_variable("PROXMOX_VE_PASSWORD", node["name"])] = node["password"]
        found[credential_variable("PROXMOX_VE_ENDPOINT", node["name"])] = node["endpoint"]
    return found
