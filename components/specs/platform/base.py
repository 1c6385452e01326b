"""What all platform stacks have in common: their kinds, their names and the base of their configuration."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.specs.network import Frozen

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A name of ours: lower-case letters, digits and hyphens, with no hyphen at either end (RFC 1123)."""

EstateName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,15}$")]
"""Tells whole estates apart, such as ``lab`` and ``prod``; at least two characters: ``w-`` is for customers' stacks."""

_STACK = re.compile(r"(?P<estate>[a-z][a-z0-9]{1,15})-(?P<kind>[a-z-]+)")


class PlatformKind(StrEnum):
    """A platform stack's kind, in the order in which a new estate is raised."""

    NETWORK = "network"
    """Cloud networks, vSwitches, firewalls, addresses; the address plan."""
    BARE_METAL_POOL = "bare-metal-pool"
    """Dedicated servers for customers: names, firewalls, inventory."""
    NODES = "nodes"
    """Dedicated servers made into Proxmox VE nodes, and everything on those nodes that is not a customer's."""
    EDGE = "edge"
    """Zone, web application firewall, load balancer, bastion with the admins' VPN."""
    CONTROL_PLANE = "control-plane"
    """Cloud servers for API, workers, PostgreSQL and Redis."""
    BACKUP = "backup"
    """Proxmox Backup Server, and the nodes' backup jobs."""
    OBSERVABILITY = "observability"
    """Prometheus, Alertmanager, Loki, Grafana, and the agents' configuration."""


class PlatformSpec(Frozen):
    """Base of every platform stack's configuration.

    Attributes:
        tells_inventory: whether the stack ends by telling Inventory what it made. Off only for as long as there is no
            control plane to be told.
    """

    tells_inventory: bool = True


def platform_stack(estate: str, kind: PlatformKind) -> str:
    """Return a stack's name: ``lab-network``."""
    return f"{estate}-{kind}"


def parse_platform_stack(name: str) -> tuple[str, PlatformKind] | None:
    """Return the estate and the kind of a stack of this name; None if it is no platform stack's."""
    match = _STACK.fullmatch(name)
    if match is None or match["kind"] not in set(PlatformKind):
        return None
    return match["estate"], PlatformKind(match["kind"])


def credential_variable(prefix: str, name: str) -> str:
    """Return the environment variable of one machine's credential.

    >>> credential_variable("PROXMOX_VE_API_TOKEN", "game-1")
    'PROXMOX_VE_API_TOKEN_GAME_1'
    """
    return f"{prefix}_{name.upper().replace('-', '_')}"
