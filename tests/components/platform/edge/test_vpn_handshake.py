"""Two machines, the generated files and real WireGuard: who is a peer gets in, and a later one without a restart.

The machines are network namespaces of the test's own. WireGuard runs in the kernel where that has it, else in
``wireguard-go``; wg-quick(8) chooses by itself.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from components.platform.edge.wireguard import FOLDER, INTERFACE, client_file, interface_file, peers_file, peers_script
from components.specs.platform.vpn import VpnPeerSpec, VpnSpec

pytestmark = pytest.mark.processes

TOOLS = ("ip", "unshare", "wg", "wg-quick", "ping")
BASTION, OUTSIDE = "192.0.2.1", "192.0.2.2"


class Machine:
    """A network namespace with a folder of its own in place of ``/etc/wireguard``."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        folder.mkdir(mode=0o700)
        must("ip", "netns", "add", name)

    def run(self, command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a shell command on it, with ``given`` on standard input."""
        inside = f"mount --bind {self.folder} {FOLDER} && {command}"
        return run("ip", "netns", "exec", self.name, "unshare", "--mount", "sh", "-c", inside, given=given)

    def do(self, command: str, given: str = "") -> str:
        """Run a command that must succeed."""
        done = self.run(command, given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def new_key(self) -> str:
        """Make a private key, as each machine does for itself, and return the public one."""
        return self.do(f"umask 077; wg genkey >{FOLDER}/private.key; wg pubkey <{FOLDER}/private.key")

    def reaches(self, address: str, within: int = 20) -> bool:
        """Whether an answer comes back within so many seconds: WireGuard tries a handshake again after five."""
        return self.run(f"ping -c 1 -w {within} {address}").returncode == 0


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of this machine's."""
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=60)


def must(*command: str) -> None:
    """Run one that must succeed."""
    done = run(*command)
    assert done.returncode == 0, done.stderr


def missing() -> str:
    """Why the test cannot be made here; empty if it can."""
    absent = [name for name in TOOLS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed: make platform-tools"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    probe = f"probe-{uuid4().hex[:8]}"
    if run("ip", "link", "add", probe, "type", "wireguard").returncode == 0:
        must("ip", "link", "del", probe)
        return ""
    usable = shutil.which("wireguard-go") is not None and Path("/dev/net/tun").exists()
    return "" if usable else "neither the kernel nor wireguard-go has WireGuard here"


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """A bastion and an admin's machine on one wire."""
    reason = missing()
    if reason:
        assert not os.environ.get("SLIPWAY_NEEDS_PLATFORM_TOOLS"), reason
        pytest.skip(reason)
    Path(FOLDER).mkdir(mode=0o700, exist_ok=True)
    mark = uuid4().hex[:6]
    bastion = Machine(f"bastion-{mark}", tmp_path / "bastion")
    admin = Machine(f"admin-{mark}", tmp_path / "admin")
    try:
        must(
            "ip",
            "link",
            "add",
            f"b{mark}",
            "netns",
            bastion.name,
            "type",
            "veth",
            "peer",
            f"a{mark}",
            "netns",
            admin.name,
        )
        for machine, wire, address in ((bastion, f"b{mark}", BASTION), (admin, f"a{mark}", OUTSIDE)):
            machine.do(f"ip link set lo up && ip addr add {address}/24 dev {wire} && ip link set {wire} up")
        yield bastion, admin
    finally:
        bastion.run(f"wg-quick down {FOLDER}/{INTERFACE}.conf")
        admin.run(f"wg-quick down {FOLDER}/admin0.conf")
        for machine in (bastion, admin):
            must("ip", "netns", "del", machine.name)


def spec(*peers: VpnPeerSpec) -> VpnSpec:
    """The lab's VPN with these peers."""
    return VpnSpec.model_validate({"cidr": "10.10.250.0/24", "routes": ["10.10.0.0/16"], "peers": peers})


def test_a_peer_gets_in_and_one_added_to_the_running_bastion_too(machines: tuple[Machine, Machine]) -> None:
    """The bastion starts with somebody else; the admin is shut out until the peers are brought to it."""
    bastion, admin = machines
    stranger = VpnPeerSpec(
        name="stranger", public_key="xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", address="10.10.250.2"
    )
    of_bastion, of_admin = bastion.new_key(), admin.new_key()
    (bastion.folder / f"{INTERFACE}.conf").write_text(interface_file(spec()))
    (bastion.folder / "peers.conf").write_text(peers_file(spec(stranger)))
    bastion.do(f"wg-quick up {FOLDER}/{INTERFACE}.conf")

    ada = VpnPeerSpec(name="ada", public_key=of_admin, address="10.10.250.3")
    mine = client_file(spec(stranger, ada), ada, BASTION)
    mine = mine.replace("<of the bastion, from its console>", of_bastion)
    mine = mine.replace("<made on your machine by: wg genkey>", (admin.folder / "private.key").read_text().strip())
    (admin.folder / "admin0.conf").write_text(mine)
    admin.do(f"wg-quick up {FOLDER}/admin0.conf")
    assert not admin.reaches("10.10.250.1", within=2)

    script = bastion.folder / "slipway-vpn-peers"
    script.write_text(peers_script(spec()))
    script.chmod(0o755)
    bastion.do(f"{FOLDER}/slipway-vpn-peers", peers_file(spec(stranger, ada)))
    assert admin.reaches("10.10.250.1")
    assert bastion.do(f"wg show {INTERFACE} public-key") == of_bastion
    assert bastion.do(f"wg show {INTERFACE} latest-handshakes | grep -c -v '\t0$'") == "1"
    assert (bastion.folder / "peers.conf").read_text() == peers_file(spec(stranger, ada))

    refused = bastion.run(f"{FOLDER}/slipway-vpn-peers", "")
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (1, True)
    assert admin.reaches("10.10.250.1")
    bastion.do(f"{FOLDER}/slipway-vpn-peers", peers_file(spec(stranger)))
    assert not admin.reaches("10.10.250.1", within=2)
