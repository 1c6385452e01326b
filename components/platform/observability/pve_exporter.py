"""How prometheus-pve-exporter gets each node's token without a token in a generated file.

The exporter reads tokens from its configuration only. So its configuration is put together in memory-backed ``/run``
when it starts, from one file a node in the host's folder of secrets, which systemd hands to it as credentials.
"""

from components.platform.observability.layout import HEADER, Layout
from components.specs.platform.observability import ObservabilitySpec

TOKENS = "pve"
"""The folder among the secrets that has one file a node: ``pve/game-1`` holds the value of that node's token."""

CREDENTIAL_PREFIX = f"{TOKENS}_"
"""What systemd puts before the names of a folder's files when it loads it as credentials (systemd.exec(5))."""

COLLECTORS = ("--no-collector.replication", "--no-collector.qdevice")
"""What nodes that form no cluster have nothing of."""

_SCRIPT = r"""#!/bin/sh
{header}# Writes the exporter's configuration: one module a node, named like it. Usage: pve-modules FOLDER OUTPUT
set -eu
umask 077
folder=$1 output=$2
: >"$output"
for file in "$folder"/{prefix}*; do
    [ -e "$file" ] || {{ echo "no token of any node: put each into a file named like the node" >&2; exit 1; }}
    node=${{file##*/{prefix}}}
    token=$(cat "$file")
    case $node in *[!a-z0-9-]*) echo "$file: '$node' is no node's name" >&2; exit 1 ;; esac
    case $token in *[!0-9a-f-]* | '') echo "$file: is no value of a Proxmox VE token" >&2; exit 1 ;; esac
    printf '%s: {{user: "%s", token_name: "%s", token_value: "%s", verify_ssl: %s}}\n' \
        "$node" '{user}' '{token_name}' "$token" {verify} >>"$output"
done
"""


def pve_modules(spec: ObservabilitySpec) -> str:
    """Return the script that writes the exporter's configuration."""
    return _SCRIPT.format(
        header=HEADER,
        prefix=CREDENTIAL_PREFIX,
        user=spec.pve_user,
        token_name=spec.pve_token_name,
        verify=str(spec.verify_pve_tls).lower(),
    )


def pve_exporter_unit(spec: ObservabilitySpec, layout: Layout) -> str:
    """Return ``slipway-pve-exporter.service``."""
    runtime = "slipway-pve-exporter"
    return f"""{HEADER}[Unit]
Description=Prometheus exporter for Proxmox VE
After=network-online.target
Wants=network-online.target

[Service]
DynamicUser=yes
RuntimeDirectory={runtime}
RuntimeDirectoryMode=0700
LoadCredential={TOKENS}:{layout.secrets}/{TOKENS}
ExecStartPre=/bin/sh {layout.configuration}/pve-modules %d /run/{runtime}/pve.yml
ExecStart=/opt/pve-exporter/bin/pve_exporter --config.file /run/{runtime}/pve.yml \\
    --web.listen-address 127.0.0.1:{spec.ports.pve_exporter} {" ".join(COLLECTORS)}
Restart=on-failure
RestartSec=30
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes

[Install]
WantedBy=multi-user.target
"""
