"""The firewall at a dedicated server's switch port: stateless, ten rules a direction."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components.specs.network import Frozen
from components.specs.vswitch import ServerNumber

MOST_RULES = 10
"""Hetzner's own limit of each direction."""


def _as_a_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"'{text}' is no network: {error}") from None


def _as_ports(text: str) -> str:
    first, dash, last = text.partition("-")
    numbers = [first, last] if dash else [first]
    if not all(item.isdecimal() and 0 <= int(item) <= 65_535 for item in numbers):  # noqa: PLR2004 - 16 bits
        raise ValueError(f"'{text}' is neither a port nor a range such as 32768-65535")
    if dash and int(first) >= int(last):
        raise ValueError(f"'{text}': a range begins with its lower port")
    return text


Network = Annotated[str, AfterValidator(_as_a_network)]
Ports = Annotated[str, AfterValidator(_as_ports)]


class RobotRule(Frozen):
    """One rule; what is left out matches everything. The first rule that matches decides; after the last is discard.

    The firewall keeps no state: answers to a server's own requests need a rule of their own (``tcp_flags: ack``).
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._+\-@]{1,64}$")]
    action: Literal["accept", "discard"] = "accept"
    ip_version: Literal["ipv4", "ipv6"] | None = None
    src_ip: Network | None = None
    dst_ip: Network | None = None
    src_port: Ports | None = None
    dst_port: Ports | None = None
    protocol: Literal["tcp", "udp", "gre", "icmp", "ipip", "ah", "esp"] | None = None
    tcp_flags: Annotated[str, Field(pattern=r"^(syn|fin|rst|psh|ack|urg)([|&](syn|fin|rst|psh|ack|urg))*$")] | None = (
        None
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if (self.src_port or self.dst_port) and self.protocol not in {"tcp", "udp"}:
            raise ValueError("src_port, dst_port: ports need 'protocol' tcp or udp")
        if self.tcp_flags and self.protocol != "tcp":
            raise ValueError("tcp_flags: flags need 'protocol' tcp")
        if (self.src_ip or self.dst_ip) and self.ip_version is None:
            raise ValueError("ip_version: a rule with an address needs it")
        for field in ("src_ip", "dst_ip"):
            network = getattr(self, field)
            if network and self.ip_version != f"ipv{ipaddress.ip_network(network).version}":
                raise ValueError(f"{field}: '{network}' is not {self.ip_version}")
        return self


class RobotFirewallRules(Frozen):
    """What a firewall lets through.

    Attributes:
        is_active: off lets everything through and keeps the rules.
        filter_ipv6: IPv6 is held against the rules too.
        whitelist_hos: Hetzner's own services (rescue system, monitoring, DNS) get through in any case.
    """

    is_active: bool = True
    filter_ipv6: bool = True
    whitelist_hos: bool = True
    input: Annotated[tuple[RobotRule, ...], Field(max_length=MOST_RULES)] = ()
    output: Annotated[tuple[RobotRule, ...], Field(max_length=MOST_RULES)] = (RobotRule(name="everything"),)


class RobotFirewallSpec(RobotFirewallRules):
    """The firewall of one server."""

    number: ServerNumber
