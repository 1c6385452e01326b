"""Whether a machine answers."""

import socket
import threading

import pytest

from pxe.reaching import answers_ssh


@pytest.mark.parametrize(
    ("banner", "expected"), [(b"SSH-2.0-dropbear\r\n", True), (b"HTTP/1.1 400\r\n", False), (b"", False)]
)
def test_only_an_ssh_server_counts(banner: bytes, expected: object) -> None:
    """By how it introduces itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(banner)

        thread = threading.Thread(target=serve)
        thread.start()
        assert answers_ssh("127.0.0.1", server.getsockname()[1]) is expected
        thread.join()


def test_nobody_there_is_a_no() -> None:
    """And no error."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert answers_ssh("127.0.0.1", port) is False
