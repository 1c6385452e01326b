"""Whether a machine answers."""

import socket

SECONDS = 5.0
_SSH_PORT = 22


def answers_ssh(address: str, port: int = _SSH_PORT) -> bool:
    """Tell whether an SSH server introduces itself (RFC 4253, 4.2). One try; blocks for some seconds at most."""
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
