"""The backup server's first boot. Pure: text from a spec."""

import yaml

from components.platform.first_boot import BASE_PACKAGES, NODE_EXPORTER, host_firewall, way_out
from components.specs.platform.backup import BackupSpec

PORT = 8007
_SOURCE = """\
Types: deb
URIs: http://download.proxmox.com/debian/pbs
Suites: trixie
Components: pbs-no-subscription
Signed-By: /usr/share/keyrings/proxmox-archive-keyring.gpg
"""
_KEYRING = "https://enterprise.proxmox.com/debian/proxmox-archive-keyring-trixie.gpg"
_KEYRING_SHA256 = "136673be77aba35dcce385b28737689ad64fd785a797e57897589aed08db6e45"


def first_boot(spec: BackupSpec, volume_id: str) -> str:
    """Return cloud-init's user data: the volume mounted, Proxmox Backup Server installed. Holds no secret.

    The password of root, which the backup stack logs in with, is set by the operator (docs/backup.md).

    Args:
        spec: of the stack.
        volume_id: Hetzner's number of the datastore's volume.
    """
    mount = spec.datastore.path
    document = {
        "hostname": spec.server.name,
        "bootcmd": list(way_out(spec.inside, spec.server)),
        "package_update": True,
        "packages": list(BASE_PACKAGES),
        "mounts": [
            [f"/dev/disk/by-id/scsi-0HC_Volume_{volume_id}", mount, "ext4", "discard,nofail,defaults", "0", "2"]
        ],
        "write_files": [
            {"path": "/etc/apt/sources.list.d/pbs.sources", "content": _SOURCE},
            {
                "path": "/etc/nftables.conf",
                "content": host_firewall(spec.inside, (PORT, NODE_EXPORTER)),
                "permissions": "0755",
                "defer": True,
            },
        ],
        "runcmd": [
            ["systemctl", "enable", "--now", "nftables.service"],
            ["mkdir", "-p", mount],
            ["curl", "-fsSo", "/usr/share/keyrings/proxmox-archive-keyring.gpg", _KEYRING],
            ["sh", "-c", f"echo '{_KEYRING_SHA256}  /usr/share/keyrings/proxmox-archive-keyring.gpg' | sha256sum -c"],
            ["apt-get", "update"],
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "proxmox-backup-server"],
        ],
    }
    return "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False, width=120)
