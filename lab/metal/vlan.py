"""A VLAN of a provisioning network, as a hosting provider's switch has one: machines tag, this computer sees no tags.

Tags are put on and taken off by a process of our own: not every kernel has VLAN devices. It reads a tap on the bridge
(the trunk) and one of this computer (the access port), until it is killed.
"""

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
from types import TracebackType
from typing import Self

from lab.metal.network import ProvisioningNetwork
from lab.metal.tools import run

_TUNSETIFF, _TAP_WITHOUT_HEADER = 0x400454CA, 0x1002
_TYPE, _IDS = b"\x81\x00", 0x0FFF
_ADDRESSES = 12
_FRAME = 65_536
_MTU = "1400"
"""What Hetzner's vSwitch carries."""
_TRUNK = "trunk"


class VlanPort:
    """This computer's place in a VLAN, as a context manager. Needs root.

    Args:
        network: whose machines have it.
        vlan: its number.
        address: this computer's there, ``10.20.0.1/24``.
    """

    def __init__(self, network: ProvisioningNetwork, vlan: int, address: str) -> None:
        self._network, self._vlan, self._address = network, vlan, address
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        name = f"{self._network.namespace}v"
        access = open_tap(name)
        try:
            run(["ip", "address", "add", self._address, "dev", name])
            run(["ip", "link", "set", name, "mtu", _MTU, "up"])
            command = self._network.command(sys.executable, "-m", __name__, str(access), str(self._vlan))
            self._process = subprocess.Popen(
                command, pass_fds=[access], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
            )
        finally:
            os.close(access)
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self._process.stdout.readline()  # the trunk is there
        inside = ["ip", "netns", "exec", self._network.namespace]
        run([*inside, "ip", "link", "set", _TRUNK, "master", self._network.interface, "up"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=10)


def open_tap(name: str) -> int:
    """Return a tap device of this name, in the namespace of this process; it is gone when it is closed."""
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_WITHOUT_HEADER))
    return tap


def untagged(frame: bytes, vlan: int) -> bytes | None:
    """Return a frame without its tag (IEEE 802.1Q); None if it is not of this VLAN."""
    if frame[_ADDRESSES : _ADDRESSES + 2] != _TYPE:
        return None
    (tag,) = struct.unpack_from(">H", frame, _ADDRESSES + 2)
    return frame[:_ADDRESSES] + frame[_ADDRESSES + 4 :] if tag & _IDS == vlan else None


def tagged(frame: bytes, vlan: int) -> bytes:
    """Return a frame with a tag."""
    return frame[:_ADDRESSES] + _TYPE + struct.pack(">H", vlan) + frame[_ADDRESSES:]


def carry(trunk: int, access: int, vlan: int) -> None:
    """Carry frames from one to the other, for ever."""
    while True:
        for ready in select.select([trunk, access], [], [])[0]:
            frame = os.read(ready, _FRAME)
            target, sent = (trunk, tagged(frame, vlan)) if ready == access else (access, untagged(frame, vlan))
            if sent is not None:
                with contextlib.suppress(OSError):  # a port that is down: the frame is lost, as on any cable
                    os.write(target, sent)


if __name__ == "__main__":
    port = open_tap(_TRUNK)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry(port, int(sys.argv[1]), int(sys.argv[2]))
