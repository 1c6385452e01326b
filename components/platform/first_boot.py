"""What the first boots of our servers have in common. Pure: text and commands for cloud-init."""

from collections.abc import Iterable, Iterator

from components.specs.platform.cloud_server import CloudServerSpec, InsideSpec

BASE_PACKAGES = ("ca-certificates", "curl", "nftables", "prometheus-node-exporter", "unattended-upgrades")
NODE_EXPORTER = 9100


def way_out(inside: InsideSpec, server: CloudServerSpec) -> Iterator[list[str]]:
    """Without a public address, DHCP brings neither a default route nor resolvers. Done at every boot."""
    if not server.has_public_ipv4:
        resolvers = "".join(f"nameserver {address}\\n" for address in inside.nameservers)
        yield ["ip", "route", "replace", "default", "via", str(inside.gateway)]
        yield ["sh", "-c", f"rm -f /etc/resolv.conf; printf '{resolvers}' > /etc/resolv.conf"]


def host_firewall(inside: InsideSpec, ports: Iterable[int]) -> str:
    """The host's own firewall for ``nft``: Hetzner's do not filter private networks.

    Args:
        inside: who may come.
        ports: what is reached from the private network, by TCP.
    """
    listed = ", ".join(str(port) for port in sorted(set(ports)))
    return f"""\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        udp sport 67 udp dport 68 accept
        ip saddr {inside.vpn} tcp dport 22 accept
        ip saddr {inside.network} tcp dport {{ {listed} }} accept
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
    }}
}}
"""
