"""What the server is first booted with: packages, folders, its own firewall, and the configuration of that day."""

import base64
from typing import Any

import yaml

from components.platform.observability.bundle import archive, bundle
from components.platform.observability.layout import Layout
from components.platform.observability.pve_exporter import TOKENS
from components.platform.observability.units import SECRETS_GROUP
from components.specs.platform.observability import ObservabilitySpec

MOST_BYTES = 32_768
"""Hetzner takes no longer user data."""

PVE_EXPORTER = "prometheus-pve-exporter==3.10.2"
"""From the Python Package Index: Debian has no package of it."""

_STATE = "/var/lib/slipway"
_PACKAGES = (
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-blackbox-exporter",
    "prometheus-node-exporter",
    "nftables",
    "python3-venv",
    "curl",
    "gpg",
    "rsync",
)

_SCRIPT = """\
#!/bin/sh
set -eu
keyring=/usr/share/keyrings/grafana.asc
curl --fail --silent --show-error --location --retry 5 --output "$keyring" {key_url}
gpg --show-keys --with-colons "$keyring" | grep -q '^fpr:*{fingerprint}:$' || {{
    echo "the packages of Grafana are signed by a key other than {fingerprint}" >&2
    exit 1
}}
echo 'deb [signed-by=/usr/share/keyrings/grafana.asc] {source}' >/etc/apt/sources.list.d/grafana.list
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes grafana loki alloy
python3 -m venv /opt/pve-exporter
/opt/pve-exporter/bin/pip install --quiet {exporter}
install -d -m 0750 -o root -g {group} {secrets}
install -d -m 0700 {secrets}/{tokens}
install -d {data}
systemctl daemon-reload
# The volume is attached after the server was made: this waits for it.
systemctl start "$(systemd-escape --path --suffix=mount {data})"
systemctl enable --now nftables.service
install -d {state}/incoming
tar -xJf {state}/observability.tar.xz -C {state}/incoming
sh {state}/incoming/apply {state}/incoming
"""

_FIREWALL = """\
flush ruleset
table inet filter {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        # Addresses of Hetzner's private networks come by DHCP.
        udp sport 67 udp dport 68 accept
        ip saddr {vpn} tcp dport {{ 22, {people} }} accept
        ip saddr {private} tcp dport {logs} accept
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
    }}
}}
"""


def first_boot(spec: ObservabilitySpec, volume_id: str, layout: Layout | None = None) -> str:
    """Return the server's user data for cloud-init; it holds no secret.

    Args:
        spec: what is installed and configured.
        volume_id: Hetzner's number of the volume that will be attached.
        layout: where it lies on the host.

    Raises:
        ValueError: if it is longer than Hetzner takes.
    """
    layout = layout or Layout()
    packed = base64.b64encode(archive(bundle(spec, layout))).decode()
    mount = (
        f"/dev/disk/by-id/scsi-0HC_Volume_{volume_id} {layout.data} ext4 "
        "discard,nofail,x-systemd.device-timeout=15min 0 2\n"
    )
    document: dict[str, Any] = {
        "package_update": True,
        "packages": list(_PACKAGES),
        "groups": [SECRETS_GROUP],
        "write_files": [
            {"path": "/etc/fstab", "content": mount, "append": True},
            {"path": "/etc/nftables.conf", "content": firewall(spec), "permissions": "0755"},
            {"path": f"{_STATE}/first-boot", "content": _script(spec, layout), "permissions": "0755"},
            {"path": f"{_STATE}/observability.tar.xz", "content": packed, "encoding": "b64"},
        ],
        "runcmd": [["sh", f"{_STATE}/first-boot"]],
    }
    text = "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False, width=10_000)
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"the first boot's user data has {len(text.encode())} bytes, and Hetzner takes {MOST_BYTES}")
    return text


def firewall(spec: ObservabilitySpec) -> str:
    """Return the host's own firewall for ``nft``.

    Hetzner's firewalls do not filter private networks, and refuse servers without a public address.
    """
    ports = spec.ports
    people = f"{ports.grafana}, {ports.prometheus}, {ports.alertmanager}"
    return _FIREWALL.format(vpn=spec.vpn, private=spec.private_network, people=people, logs=ports.loki)


def _script(spec: ObservabilitySpec, layout: Layout) -> str:
    packages = spec.grafana_packages
    return _SCRIPT.format(
        key_url=packages.key_url,
        fingerprint=packages.key_fingerprint,
        source=packages.source,
        exporter=PVE_EXPORTER,
        group=SECRETS_GROUP,
        secrets=layout.secrets,
        tokens=TOKENS,
        data=layout.data,
        state=_STATE,
    )
