"""A provisioning network: a namespace with a bridge, the machines' taps and a real dnsmasq; this computer is on it.

The boot service listens at ``host_address``, which only machines of this network reach. All of it vanishes at the end;
what a killed run left behind is removed by the next one, which knows it by a lock that nobody holds any more.
"""

import fcntl
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from lab.metal.tools import MetalLabError, program, run

_LOCKS = Path("/run/slipway-metal")
_PREFIX = "slw"
_POOL = ipaddress.IPv4Network("10.213.0.0/16")
_BRIDGE = "provision"
_FIRST_TABLE = 51_000


class ProvisioningNetwork:
    """One network, as a context manager. Needs root.

    Attributes:
        subnet: a /24 that no other run has; ``.1`` is this computer, ``.2`` the namespace, the rest the machines'.
        base_url: see ``url``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: IO[str] | None = None
        self._name = ""
        self._dnsmasq: subprocess.Popen[bytes] | None = None
        self._taps = 0
        self.subnet = _POOL

    @property
    def namespace(self) -> str:
        """The name that ``ip netns exec`` takes."""
        return self._name

    @property
    def host_address(self) -> str:
        """Where machines reach this computer: the boot service's address."""
        return str(self.subnet[1])

    @property
    def ipv6_prefix(self) -> str:
        """A /64 of the network's own (RFC 4193), as ``fd00:...::``; ``2`` in it is the namespace."""
        return f"fd51:1970:{self.subnet.network_address.packed[2]:x}::"

    @property
    def interface(self) -> str:
        """The bridge in the namespace, on which dnsmasq listens."""
        return _BRIDGE

    def __enter__(self) -> Self:
        remove_leftovers()
        self._claim()
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def address(self, number: int) -> str:
        """An address of the subnet for a machine: 10 and up are free, of which dnsmasq may give out 100 to 199."""
        return str(self.subnet[number])

    def route(self, prefix: str) -> None:
        """Have what this computer sends from ``host_address`` reach addresses (``192.0.2.7/32``) on the network."""
        run(["ip", "route", "replace", prefix, "dev", self._host_side, "table", _table(self._name)])

    def play_gateway(self, pool: ipaddress.IPv4Network) -> None:
        """Have the namespace be the gateway of an address pool, its first address, for what machines send to this host.

        This host's own routing stays as it is, for the pool's addresses may be somebody else's outside: only what is
        sent from ``host_address`` finds the pool (a rule by source, ip-rule(8)). A client binds to it.
        """
        self._in("ip", "address", "add", f"{pool[1]}/32", "dev", _BRIDGE)
        self._in("ip", "route", "add", str(pool), "dev", _BRIDGE)

    def command(self, *arguments: str) -> list[str]:
        """A command that runs in the namespace."""
        return [program("ip"), "netns", "exec", self._name, *arguments]

    def add_tap(self) -> str:
        """Make a tap device on the bridge for one card; returns its name (it exists in the namespace only)."""
        name = f"tap{self._taps}"
        self._taps += 1
        self._in("ip", "tuntap", "add", name, "mode", "tap")
        self._in("ip", "link", "set", name, "master", _BRIDGE, "up")
        return name

    def start_dnsmasq(self, config: str) -> None:
        """Serve DHCP and TFTP with this configuration, instead of the one before.

        Raises:
            MetalLabError: dnsmasq does not take it.
        """
        self.stop_dnsmasq()
        path = self._folder / "dnsmasq.conf"
        path.write_text(config, encoding="utf-8")
        leases = [] if "dhcp-leasefile=" in config else [f"--dhcp-leasefile={self._folder / 'leases'}"]
        base = [program("dnsmasq"), f"--conf-file={path}", *leases]
        run(["ip", "netns", "exec", self._name, base[0], base[1], "--test"])
        options = ["--keep-in-foreground", "--log-dhcp", f"--log-facility={self._log}", "--user=root", "--pid-file="]
        self._dnsmasq = subprocess.Popen(self.command(*base, *options), stdin=subprocess.DEVNULL)

    def stop_dnsmasq(self) -> None:
        """Nobody answers DHCP any more."""
        if self._dnsmasq is not None:
            self._dnsmasq.kill()
            self._dnsmasq.wait(10)
            self._dnsmasq = None

    def dnsmasq_log(self) -> str:
        """All that dnsmasq has said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def close(self) -> None:
        """Remove all of it; what runs in the namespace is killed."""
        self.stop_dnsmasq()
        if self._name:
            _remove(self._name)
        if self._lock is not None:
            Path(self._lock.name).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    @property
    def _log(self) -> Path:
        return self._folder / "dnsmasq.log"

    def _claim(self) -> None:
        """Take a name and a subnet; the lock is held as long as this process lives."""
        _LOCKS.mkdir(exist_ok=True)
        for third in secrets.SystemRandom().sample(range(256), 256):
            lock = (_LOCKS / f"{_PREFIX}{third}").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            self._lock, self._name = lock, f"{_PREFIX}{third}"
            self.subnet = list(_POOL.subnets(new_prefix=24))[third]
            return
        raise MetalLabError("all 256 provisioning networks are in use")

    @property
    def _host_side(self) -> str:
        return f"{self._name}h"

    def _build(self) -> None:
        inner = f"{self._name}n"
        run(["ip", "netns", "add", self._name])
        run(["ip", "link", "add", self._host_side, "type", "veth", "peer", "name", inner, "netns", self._name])
        run(["ip", "address", "add", f"{self.host_address}/24", "dev", self._host_side])
        run(["ip", "link", "set", self._host_side, "up"])
        self._in("ip", "link", "set", "lo", "up")
        self._in("ip", "link", "add", _BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        self._in("ip", "link", "set", inner, "master", _BRIDGE, "up")
        self._in("ip", "address", "add", f"{self.subnet[2]}/24", "dev", _BRIDGE)
        self._in("ip", "address", "add", f"{self.ipv6_prefix}2/64", "dev", _BRIDGE, "nodad")
        self._in("ip", "link", "set", _BRIDGE, "up")
        for setting, value in {
            "ip_forward": 1,
            f"conf/{_BRIDGE}/send_redirects": 0,
            "conf/all/send_redirects": 0,
        }.items():
            self._in("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{setting}")
        table = _table(self._name)
        run(["ip", "route", "add", str(self.subnet), "dev", self._host_side, "table", table])
        run(["ip", "route", "add", "default", "via", str(self.subnet[2]), "table", table])
        run(["ip", "rule", "add", "from", self.host_address, "lookup", table])

    def _in(self, *command: str) -> None:
        run(["ip", "netns", "exec", self._name, program(command[0]), *command[1:]])


def free_port(host: str) -> int:
    """A TCP port of an address of this computer's on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def remove_leftovers() -> None:
    """Remove the networks of runs that were killed, with the machines that still run in them."""
    for name in _abandoned():
        _remove(name)
        (_LOCKS / name).unlink(missing_ok=True)


def _abandoned() -> Iterator[str]:
    for path in _LOCKS.glob(f"{_PREFIX}*"):
        with suppress(OSError), path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield path.name


def _table(name: str) -> str:
    """The number of a network's own routing table."""
    return str(_FIRST_TABLE + int(name.removeprefix(_PREFIX)))


def _remove(name: str) -> None:
    run(["ip", "rule", "delete", "lookup", _table(name)], ok=False)
    for process in run(["ip", "netns", "pids", name], ok=False).split():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    run(["ip", "link", "delete", f"{name}h"], ok=False)
    run(["ip", "netns", "delete", name], ok=False)
