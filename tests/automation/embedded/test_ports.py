"""Ports that are chosen now and bound later."""

import socket

import pytest

from automation.embedded.ports import free_port


def test_the_kernel_gives_a_chosen_port_to_nobody_meanwhile() -> None:
    """Connections of other programs begin at 32768 unless somebody has set that, and the service can listen."""
    port = free_port("127.0.0.1")
    assert 1024 < port < 32_768
    with socket.create_server(("127.0.0.1", port)):
        assert free_port("127.0.0.1") != port


def test_an_address_of_another_machine_is_refused() -> None:
    """By the kernel's own word."""
    with pytest.raises(OSError, match="assign requested address"):
        free_port("192.0.2.1")
