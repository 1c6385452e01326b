"""What a bastion does at its first boot: cloud-init's user data and the files in it. Pure, and without any secret."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from components.platform.edge.wireguard import (
    FOLDER,
    INTERFACE,
    PEERS,
    PRIVATE_KEY,
    interface_file,
    peers_file,
    peers_script,
)
from components.specs.platform.edge import BastionSpec

PEERS_COMMAND = "/usr/local/sbin/slipway-vpn-peers"
PUBLIC_KEY = f"{FOLDER}/public.key"
NODE_EXPORTER_PORT = 9100
PACKAGES = ("nftables", "prometheus-node-exporter", "unattended-upgrades", "wireguard-tools")
PRIVATE = "10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16"
"""What the way out never leads to (RFC 1918, RFC 6598)."""

SSHD = """# Keys only; the way in is the VPN.
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthenticationMethods publickey
MaxAuthTries 3
LoginGraceTime 20
X11Forwarding no
AllowAgentForwarding no
PermitUserEnvironment no
ClientAliveInterval 60
ClientAliveCountMax 5
"""

SYSCTL = """net.ipv4.ip_forward = 1
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.all.forwarding = 0
kernel.kptr_restrict = 2
kernel.dmesg_restrict = 1
"""

UPGRADES = """APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Remove-Unused-Dependencies "true";
Unattended-Upgrade::Automatic-Reboot "true";
Unattended-Upgrade::Automatic-Reboot-Time "04:00";
"""


def bastion_user_data(spec: BastionSpec) -> str:
    """The ``#cloud-config`` document; the same spec gives the same text.

    The VPN's private key is made on the machine. Its public key is written to the console, where an admin reads it.
    """
    document = {
        "package_update": True,
        "package_upgrade": True,
        "packages": list(PACKAGES),
        "ssh_pwauth": False,
        "write_files": list(_files(spec)),
        "runcmd": [list(command) for command in _commands()],
    }
    text: str = yaml.dump(document, Dumper=_Readable, sort_keys=False, width=120)
    return f"#cloud-config\n{text}"


class _Readable(yaml.SafeDumper):
    """Writes files as they are, line by line."""


def _as_it_is(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _as_it_is)


def _files(spec: BastionSpec) -> Iterable[Mapping[str, Any]]:
    for path, mode, content in (
        (f"{FOLDER}/{INTERFACE}.conf", "0600", interface_file(spec.vpn)),
        (PEERS, "0600", peers_file(spec.vpn)),
        (PEERS_COMMAND, "0755", peers_script(spec.vpn)),
        ("/etc/nftables.conf", "0644", nftables(spec)),
        ("/etc/sysctl.d/60-slipway.conf", "0644", SYSCTL),
        ("/etc/ssh/sshd_config.d/10-slipway.conf", "0644", SSHD),
        ("/etc/apt/apt.conf.d/52-slipway", "0644", UPGRADES),
    ):
        yield {"path": path, "permissions": mode, "owner": "root:root", "content": content}


def _commands() -> Iterable[Iterable[str]]:
    """What is run once, in order; each can be run again."""
    make_key = f"test -s {PRIVATE_KEY} || (umask 077 && wg genkey >{PRIVATE_KEY})"
    tell_key = f'wg pubkey <{PRIVATE_KEY} | tee {PUBLIC_KEY} | sed "s/^/WireGuard public key: /" >/dev/console'
    return (
        ("sysctl", "--system"),
        ("systemctl", "enable", "nftables.service"),
        ("systemctl", "restart", "nftables.service"),
        ("sh", "-c", make_key),
        ("systemctl", "enable", "--now", f"wg-quick@{INTERFACE}.service"),
        ("systemctl", "reload-or-restart", "ssh.service"),
        ("sh", "-c", tell_key),
    )


def nftables(spec: BastionSpec) -> str:
    """The firewall on the machine itself, beside Hetzner's before it, which does not see the private network.

    A network interface's name depends on the server's type, so only the VPN's is named.
    """
    vpn = spec.vpn
    first_ssh = f"        ip saddr {_set(spec.ssh_from)} tcp dport 22 accept\n" if spec.ssh_from else ""
    inside = _set((*vpn.routes, *spec.way_out_for))
    out = f"ip saddr {_set(spec.way_out_for)} ip daddr != {{ {PRIVATE} }}"
    way_out = f'        iifname != "{INTERFACE}" {out} accept\n' if spec.way_out_for else ""
    masquerade = f"""
table ip slipway_way_out {{
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        {out} masquerade
    }}
}}
"""
    return f"""#!/usr/sbin/nft -f
flush ruleset

table inet slipway {{
    chain input {{
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        ct state invalid drop
        meta l4proto {{ icmp, ipv6-icmp }} limit rate 50/second accept
        udp dport {vpn.port} accept
        iifname "{INTERFACE}" tcp dport 22 accept
{first_ssh}        ip saddr {inside} tcp dport {NODE_EXPORTER_PORT} accept
    }}

    chain forward {{
        type filter hook forward priority filter; policy drop;
        tcp flags syn tcp option maxseg size set rt mtu
        ct state established,related accept
        ct state invalid drop
        iifname "{INTERFACE}" ip saddr {vpn.cidr} ip daddr {_set(vpn.routes)} accept
{way_out}    }}
}}
{masquerade if spec.way_out_for else ""}"""


def _set(networks: Iterable[ipaddress.IPv4Network]) -> str:
    """Networks as nft's anonymous set, none within another: nft refuses overlaps."""
    return f"{{ {', '.join(map(str, ipaddress.collapse_addresses(networks)))} }}"
