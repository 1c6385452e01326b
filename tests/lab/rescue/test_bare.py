"""A bare lab: nodes that have no system until a rescue system has installed one. OpenSSH's client looks in."""

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import tenacity
from passlib.hash import sha512_crypt

from lab.client import RunningLab, start
from lab.rescue.shell import INSTALLIMAGE
from tests.lab.rescue.test_installimage import GOOD

pytestmark = pytest.mark.processes

SCRIPT = f"{INSTALLIMAGE} -a -t no -c /root/c -x /root/x </dev/null >/root/log 2>&1\necho $? >/root/result\n"
GAME = 321_001
Ssh = Callable[..., subprocess.CompletedProcess[str]]
soon = tenacity.Retrying(stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(0.05), reraise=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder for the labs of this module."""
    return tmp_path_factory.mktemp("bare")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[RunningLab]:
    """A bare lab for this module."""
    with start(folder, nodes="game=1", bare=True) as lab:
        yield lab


@pytest.fixture
def bare(running: RunningLab) -> RunningLab:
    """The bare lab with nothing in it."""
    running.faults.heal()
    running.faults.reset()
    return running


@pytest.fixture
def robot(bare: RunningLab) -> Iterator[httpx.Client]:
    """Somebody at Robot, whose key is known there."""
    section = bare.document.robot
    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as client:
        client.post("/key", data={"name": "ops", "data": _public(bare)}).raise_for_status()
        yield client


@pytest.fixture
def openssh(bare: RunningLab, tmp_path: Path) -> Ssh:
    """OpenSSH's client at the node's rescue system."""
    if shutil.which("ssh") is None:
        pytest.skip("needs OpenSSH's client")
    host, _, port = bare.platform["SLIPWAY_RESCUE_SSH_ADDRESS_GAME_1"].partition(":")
    options = [f"UserKnownHostsFile={tmp_path / 'known'}", "StrictHostKeyChecking=accept-new", "BatchMode=yes"]
    command = ["ssh", "-F", "none", "-i", bare.document.rescue.key_file, "-p", port]
    command += [part for option in options for part in ("-o", option)]

    def run(text: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, f"root@{host}", text], input=stdin, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def _public(lab: RunningLab) -> str:
    return Path(f"{lab.document.rescue.key_file}.pub").read_text()


def _serves(lab: RunningLab) -> bool:
    endpoint = lab.platform["PROXMOX_VE_ENDPOINT_GAME_1"]
    login = {"username": "root@pam", "password": lab.platform["PROXMOX_VE_PASSWORD_GAME_1"]}
    try:
        with httpx.Client(
            verify=ssl.create_default_context(cafile=lab.document.proxmox.ca_file), base_url=endpoint
        ) as client:
            return client.post("/api2/json/access/ticket", data=login).is_success
    except httpx.ConnectError:
        return False


def _into_rescue(lab: RunningLab, robot: httpx.Client) -> None:
    fingerprint = robot.get("/key").json()[0]["key"]["fingerprint"]
    activation = {"os": "linux", "authorized_key": fingerprint}
    robot.post(f"/boot/{GAME}/rescue", data=activation).raise_for_status()
    robot.post(f"/reset/{GAME}", data={"type": "hw"}).raise_for_status()
    for attempt in soon:
        with attempt:
            assert lab.faults.robot.machines()[GAME]["runs"] == "rescue"


def test_nothing_is_there_yet(bare: RunningLab) -> None:
    """No document for Inventory, and no node that answers."""
    assert not bare.estate_path.exists()
    assert not _serves(bare)
    assert {item["disk"] for item in bare.faults.robot.machines().values()} == {"blank"}


def test_a_rescue_system_installs_a_node(bare: RunningLab, robot: httpx.Client, openssh: Ssh) -> None:
    """Over SSH; after the reboot the node serves, and root has the password whose hash was given."""
    _into_rescue(bare, robot)
    assert '"fstype": null' in openssh("lsblk --json").stdout
    openssh("umask 077; cat > /root/c", GOOD)
    openssh("umask 077; cat > /root/x", "apt-get install --yes proxmox-ve\n")
    openssh("umask 077; cat > /root/run", SCRIPT)
    password = bare.platform["PROXMOX_VE_PASSWORD_GAME_1"]
    digest = sha512_crypt.using(rounds=5000).hash(password)  # type: ignore[no-untyped-call] # the stubs
    assert openssh("chpasswd -e", f"root:{digest}\n").returncode == 0
    assert openssh("setsid --fork sh /root/run").returncode == 0
    for attempt in soon:
        with attempt:
            assert openssh("cat /root/result").stdout == "0\n"
    assert not _serves(bare)
    assert openssh("reboot").returncode == 0
    for attempt in soon:
        with attempt:
            assert _serves(bare)


def test_what_it_does_not_know_is_not_found(bare: RunningLab, robot: httpx.Client, openssh: Ssh) -> None:
    """As a shell answers it; bad configurations and scripts end with 1."""
    _into_rescue(bare, robot)
    assert (openssh("mkfs").returncode, openssh("chpasswd -e", "root:plain").returncode) == (127, 1)
    assert openssh("cat /root/nothing").returncode == 1
    assert openssh(f"{INSTALLIMAGE} -a -c /root/c").returncode == 1
    openssh("cat > /root/c", GOOD.replace("/dev/nvme1n1", "/dev/sdb"))
    assert "Value for DRIVE2 is not correct: /dev/sdb" in openssh(f"{INSTALLIMAGE} -a -c /root/c").stdout
    openssh("cat > /root/c", GOOD)
    openssh("cat > /root/x", "if proxmox-ve\n")
    assert openssh(f"{INSTALLIMAGE} -a -c /root/c -x /root/x").returncode == 1
    assert bare.faults.robot.machines()[GAME]["disk"] == "other"


def test_only_the_key_that_was_named_is_let_in(bare: RunningLab, robot: httpx.Client, openssh: Ssh) -> None:
    """The rescue system of one activation knows the keys of that one."""
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB other"
    fingerprint = robot.post("/key", data={"name": "other", "data": other}).json()["key"]["fingerprint"]
    robot.delete(f"/key/{robot.get('/key').json()[0]['key']['fingerprint']}")
    assert fingerprint == robot.get("/key").json()[0]["key"]["fingerprint"]
    _into_rescue(bare, robot)
    assert "Permission denied" in openssh("lsblk --json").stderr


def test_a_technician_is_asked_and_nothing_boots(bare: RunningLab, robot: httpx.Client) -> None:
    """A manual reset takes its time."""
    robot.post(f"/reset/{GAME}", data={"type": "man"}).raise_for_status()
    assert bare.faults.robot.machines()[GAME]["runs"] == "disk"


def test_an_installed_node_is_there_after_a_restart(tmp_path: Path) -> None:
    """So are machines that stand in their rescue system; the node's port is closed then."""
    with start(tmp_path, nodes="game=1", bare=True, installed=True) as lab:
        assert _serves(lab)
        section = lab.document.robot
        with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as robot:
            robot.post("/key", data={"name": "ops", "data": _public(lab)}).raise_for_status()
            _into_rescue(lab, robot)
        for attempt in soon:
            with attempt:
                assert not _serves(lab)
        before = lab.platform
    with start(tmp_path, nodes="game=1", bare=True, installed=True) as lab:
        assert lab.platform == before
        assert lab.faults.robot.machines()[GAME]["runs"] == "rescue"
        for attempt in soon:
            with attempt:
                assert not _serves(lab)
        lab.faults.robot.reset()
        for attempt in soon:
            with attempt:
                assert _serves(lab)
