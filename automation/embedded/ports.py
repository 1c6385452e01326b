"""Ports for services of ours that are started a moment later."""

import random
import socket
from contextlib import suppress

_PORTS = range(15_000, 20_000)
"""The lab, which is started in between, takes those from 20,000 on."""
_TRIES = 50


def free_port(host: str) -> int:
    """Choose a port of an address of this machine that nobody listens on.

    It is bound seconds later, by another process. So it is chosen below the range that the kernel takes ports of
    outgoing connections from (``ip_local_port_range``, ip(7)): one of those would be in its way every now and then.

    Raises:
        OSError: if the address is not of this machine.
    """
    for port in random.sample(_PORTS, _TRIES):
        with suppress(OSError):
            return _bound(host, port)
    return _bound(host, 0)


def _bound(host: str, port: int) -> int:
    with socket.socket() as probe:
        probe.bind((host, port))
        bound: int = probe.getsockname()[1]
        return bound
