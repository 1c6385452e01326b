"""The TFTP server that the product's configuration makes of dnsmasq serves iPXE, and nothing else of the computer."""

import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.metal.rig import MetalRig, plain_dhcp
from pxe.boot.dnsmasq import BIOS_PROGRAM, UEFI_PROGRAM
from tests.fixtures.engine import until
from tests.fixtures.metal import MetalFactory

Ask = Callable[[bytes], tuple[int, bytes]]
_READ, _DATA, _ERROR = 1, 3, 5
"""Opcodes of RFC 1350."""
_TRIES = 5
_IPXE = Path("/usr/lib/ipxe")
_SECRET = b"root:"


@pytest.fixture(scope="module")
def rig(metal_machines: MetalFactory) -> MetalRig:
    """A network with the product's dnsmasq."""
    rig = metal_machines((16,))
    rig.network.start_dnsmasq(plain_dhcp(rig, f"http://{rig.network.host_address}:8080"))
    until(lambda: "TFTP root is" in rig.network.dnsmasq_log())
    return rig


@pytest.fixture
def ask(rig: MetalRig) -> Ask:
    """Return what asks for a file by TFTP, and returns opcode and content of the first answer (0 if there is none)."""

    def read(name: bytes) -> tuple[int, bytes]:
        # A socket for each question: what was answered late or twice to the one before does not come here.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind((rig.network.host_address, 0))
            wire.settimeout(1.0)
            for _ in range(_TRIES):
                wire.sendto(struct.pack(">H", _READ) + name + b"\0octet\0", (rig.network.address(2), 69))
                try:
                    said = wire.recv(2048)
                except TimeoutError:
                    continue
                return struct.unpack(">H", said[:2])[0], said[4:]
        return 0, b""

    return read


@pytest.mark.parametrize("name", [BIOS_PROGRAM, UEFI_PROGRAM])
def test_ipxe_is_served(ask: Ask, name: str) -> None:
    """The first block of the file that firmware asks for."""
    assert ask(name.encode()) == (_DATA, (_IPXE / name).read_bytes()[:512])


@pytest.mark.parametrize(
    "name",
    [
        b"../../../etc/passwd",
        b"..\\..\\..\\etc\\passwd",
        b"/etc/passwd",
        b"//etc/passwd",
        b"/usr/lib/ipxe/../../../etc/passwd",
        b"./../../../etc/passwd",
        b"%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        b"..%2f..%2f..%2fetc%2fpasswd",
        b"..%c0%af..%c0%af..%c0%afetc/passwd",
        b"undionly.kpxe/../../../../etc/passwd",
        b"",
        b".",
        b"/" * 400 + b"etc/passwd",
        b"../" * 150 + b"etc/passwd",
        b"a" * 480,
        b"\xff\xfe; cat /etc/passwd",
    ],
)
def test_an_odd_name_gets_no_file(ask: Ask, name: bytes) -> None:
    """Up, absolute, encoded or without end: an error; and the next who asks is served."""
    opcode, said = ask(name)

    assert opcode in {_ERROR, 0}
    assert _SECRET not in said
    assert ask(BIOS_PROGRAM.encode())[0] == _DATA
