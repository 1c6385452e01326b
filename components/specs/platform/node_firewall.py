"""A node's own firewall: who may reach the host. Guests' firewalls are their orders' business."""

from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import Slug

SetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{1,17}$")]
"""A name in the firewall; Proxmox VE allows a security group 18 characters."""
Ports = Annotated[str, Field(pattern=r"^[0-9]{1,5}(:[0-9]{1,5})?(,[0-9]{1,5}(:[0-9]{1,5})?)*$")]
"""Ports as Proxmox VE writes them: ``22``, ``5900:5999``, ``80,443``."""


class FirewallRule(Frozen):
    """One rule; without ``sources`` it is for everybody.

    Attributes:
        direction: seen from the node.
        ports: of the destination; all if there are none.
    """

    direction: Literal["in", "out"] = "in"
    action: Literal["ACCEPT", "DROP", "REJECT"] = "ACCEPT"
    protocol: Literal["tcp", "udp", "icmp", "ipv6-icmp"] | None = None
    ports: Ports | None = None
    sources: tuple[IPvAnyNetwork, ...] = ()
    comment: Annotated[str, Field(pattern=r"^[A-Za-z0-9 .,:'-]{0,64}$")] = ""

    def as_proxmox(self) -> dict[str, str]:
        """Return it as Proxmox VE keeps it, without what is not set."""
        fields = {
            "type": self.direction,
            "action": self.action,
            "proto": self.protocol,
            "dport": self.ports,
            "source": ",".join(map(str, self.sources)),
            "comment": self.comment,
        }
        return {name: value for name, value in fields.items() if value}

    @model_validator(mode="after")
    def _ports_need_a_protocol(self) -> Self:
        if self.ports is not None and self.protocol not in {"tcp", "udp"}:
            raise ValueError("'ports' are of 'tcp' or 'udp': give the 'protocol'")
        return self


class SecurityGroup(Frozen):
    """Rules that belong together, for every node."""

    name: SetName
    comment: Annotated[str, Field(pattern=r"^[A-Za-z0-9 .,:'-]{0,64}$")] = ""
    rules: Annotated[tuple[FirewallRule, ...], Field(min_length=1)]


class NodeFirewallSpec(Frozen):
    """The firewall of each node's host: what no rule lets in is dropped.

    Attributes:
        groups: in the order in which they are looked at.
    """

    is_enabled: bool = True
    groups: tuple[SecurityGroup, ...] = ()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        names = [group.name for group in self.groups]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"groups: two are named '{twice[0]}': give one another name")
        if self.is_enabled and not self.lets_in(_API):
            raise ValueError(
                f"groups: no rule lets anybody in to port {_API}: the nodes could not be managed any more; add a rule, "
                "or set 'is_enabled' to false"
            )
        return self

    def lets_in(self, port: int) -> bool:
        """Whether somebody can reach a TCP port of the host."""
        return any(
            rule.direction == "in"
            and rule.action == "ACCEPT"
            and rule.protocol in {None, "tcp"}
            and (rule.ports is None or _covers(rule.ports, port))
            for group in self.groups
            for rule in group.rules
        )

    def on(self, node: str, endpoint: str, *, verify_tls: bool) -> "HostFirewall":
        """Return it as what one node is to have."""
        groups = [
            HostGroup(name=group.name, comment=group.comment, rules=tuple(rule.as_proxmox() for rule in group.rules))
            for group in self.groups
        ]
        used = tuple(group.name for group in groups)
        return HostFirewall(
            node=node, endpoint=endpoint, verify_tls=verify_tls, is_enabled=self.is_enabled, groups=groups, used=used
        )


class HostGroup(Frozen):
    """A security group in Proxmox VE's own terms; the first rule is looked at first."""

    name: SetName
    comment: str = ""
    rules: tuple[dict[str, str], ...]


class HostFirewall(Frozen):
    """What one node's firewall is to be.

    Attributes:
        used: the groups that hold for the host, in order; what else the host has as rules is seen there too.
    """

    node: Slug
    endpoint: Annotated[str, Field(pattern=r"^https://")]
    verify_tls: bool = True
    is_enabled: bool
    groups: tuple[HostGroup, ...] = ()
    used: tuple[str, ...] = ()


_API = 8006


def _covers(ports: str, port: int) -> bool:
    for part in ports.split(","):
        first, _, last = part.partition(":")
        if int(first) <= port <= int(last or first):
            return True
    return False
