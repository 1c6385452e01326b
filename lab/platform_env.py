"""``platform.env``: what the engine of a platform stack needs in its environment to work on the lab."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from components.specs.platform import credential_variable
from lab.document import LabDocument, replace_private


def platform_environment(document: LabDocument) -> dict[str, str]:
    """The variables by name: every address and credential that the lab knows. No I/O."""
    found = {
        "HCLOUD_TOKEN": document.hcloud.tokens["slipway"],
        "HCLOUD_ENDPOINT": document.hcloud.base_url,
        "HETZNER_ROBOT_URL": document.robot.base_url,
        "HETZNER_ROBOT_USER": document.robot.login,
        "HETZNER_ROBOT_PASSWORD": document.robot.password,
        "HETZNER_ROBOT_POLL_SECONDS": "0.1",
        "CLOUDFLARE_ACCOUNT_ID": document.cloudflare.account_id,
        "CLOUDFLARE_API_TOKEN": document.cloudflare.api_token,
        "CLOUDFLARE_BASE_URL": document.cloudflare.base_url,
        "PBS_ENDPOINT": document.pbs.base_url,
        "PBS_USERNAME": document.pbs.username,
        "PBS_PASSWORD": document.pbs.password,
        "PBS_FINGERPRINT": document.pbs.fingerprint,
        "SLIPWAY_RESCUE_SSH_KEY": document.rescue.key_file,
    }
    for node in document.proxmox.nodes:
        found[credential_variable("PROXMOX_VE_ENDPOINT", node.name)] = node.endpoint
        found[credential_variable("PROXMOX_VE_PASSWORD", node.name)] = node.password
    for name, port in document.rescue.ports.items():
        found[credential_variable("SLIPWAY_RESCUE_SSH_ADDRESS", name)] = f"127.0.0.1:{port}"
    return found


def dotenv(variables: Mapping[str, str]) -> str:
    """The variables as a shell reads them: ``set -a; . platform.env; set +a``."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def ssh_key_in(path: Path) -> Path:
    """Make sure that there is an SSH key pair, private at ``path`` and public beside it, and return its place."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        replace_private(path.with_suffix(".pub"), public + b" lab\n")
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        replace_private(path, private)
    return path.absolute()
