"""What an installation needs from the environment of the engine's process; none of it is in a stack's state."""

from collections.abc import Mapping
from pathlib import Path

from components.installation.errors import InstallationError
from components.specs.platform.base import credential_variable

SSH_PORT, API_PORT = 22, 8006


def rescue_key(environment: Mapping[str, str]) -> Path:
    """Return the file of the private key with which rescue systems are entered: ``SLIPWAY_RESCUE_SSH_KEY``.

    Raises:
        InstallationError: if it is not set.
    """
    path = environment.get("SLIPWAY_RESCUE_SSH_KEY", "")
    if not path:
        raise InstallationError("SLIPWAY_RESCUE_SSH_KEY: name the file of the private key for rescue systems")
    return Path(path)


def root_password(environment: Mapping[str, str], node: str) -> str:
    """Return the password that root shall have or has on a node: ``PROXMOX_VE_PASSWORD_<NODE>``.

    Raises:
        InstallationError: if it is not set.
    """
    variable = credential_variable("PROXMOX_VE_PASSWORD", node)
    password = environment.get(variable, "")
    if not password:
        raise InstallationError(f"{variable}: set the password that root@pam of '{node}' shall have")
    return password


def endpoint_of(environment: Mapping[str, str], node: str, address: str) -> str:
    """Return a node's API: ``PROXMOX_VE_ENDPOINT_<NODE>``, else port 8006 of the server's address."""
    return environment.get(credential_variable("PROXMOX_VE_ENDPOINT", node)) or f"https://{address}:{API_PORT}"


def ssh_place(environment: Mapping[str, str], node: str, address: str) -> tuple[str, int]:
    """Return where a server's rescue system listens: port 22 of its address.

    ``SLIPWAY_RESCUE_SSH_ADDRESS_<NODE>`` (``host:port``) is for a server that is reached another way.

    Raises:
        InstallationError: if that variable cannot be read.
    """
    variable = credential_variable("SLIPWAY_RESCUE_SSH_ADDRESS", node)
    text = environment.get(variable, "")
    if not text:
        return address, SSH_PORT
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise InstallationError(f"{variable}: '{text}' is not host:port")
    return host, int(port)
