"""What the initrd puts into an installed system, by what its image uses. Needs root, for files change owners."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pxe.deployer.recipe import SCRIPTS
from tests.fakes.boot_server import FakeBootService, FakeDeployment, fake_boot_service
from tests.fixtures.deployer_shell import DeployerShell

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("metal_tools")]
_KEY = "ssh-ed25519 AAAAC3Nz customer $(reboot) `id` & ' \" \\\n"
_FILES = {
    "authorized_keys": _KEY,
    "hostname": "web.example.org\n",
    "interfaces": "auto eth0\n",
    "resolv.conf": "nameserver 192.0.2.1\n",
    "netplan.yaml": "network: {}\n",
    "user-data": "#cloud-config\n",
    "meta-data": "instance-id: 1\n",
    "network-config": "version: 2\n",
    "callback": "http://192.0.2.1/running\ntoken\n",
}


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[FakeBootService]:
    """A boot service on loopback with all files of an installation."""
    with fake_boot_service("127.0.0.1", tmp_path / "kernel", tmp_path / "initrd") as service:
        service.deploy(FakeDeployment("install", "SER-1", files=dict(_FILES)))
        yield service


@pytest.fixture
def shell(tmp_path: Path, boot: FakeBootService) -> DeployerShell:
    """A machine with an installed system that has an account beside root."""
    shell = DeployerShell(tmp_path / "machine")
    shell.connect(boot.base_url)
    shell.plan(session="session-of-this-boot", user="root")
    shell.write("mnt/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndebian:x:1000:1001::/home/debian:/bin/bash\n")
    return shell


def _placed(shell: DeployerShell, path: str) -> tuple[str, str, int]:
    target = shell.folder / "mnt" / path
    status = target.stat()
    return target.read_text(), oct(status.st_mode & 0o777), status.st_uid


@pytest.mark.parametrize(
    ("has", "placed"),
    [
        ("etc/network", {"etc/network/interfaces": "interfaces", "etc/resolv.conf": "resolv.conf"}),
        ("etc/netplan", {"etc/netplan/50-slipway.yaml": "netplan.yaml"}),
        (
            "etc/cloud",
            {f"var/lib/cloud/seed/nocloud/{name}": name for name in ("user-data", "meta-data", "network-config")},
        ),
    ],
)
def test_network_configuration_is_what_the_image_uses(shell: DeployerShell, has: str, placed: dict[str, str]) -> None:
    """ifupdown, netplan or cloud-init, whichever is there."""
    (shell.folder / "mnt" / has).mkdir(parents=True)

    done = shell.run("place_network")

    assert done.returncode == 0, done.stderr
    assert {path: _placed(shell, path)[0] for path in placed} == {path: _FILES[name] for path, name in placed.items()}


def test_an_image_without_any_is_refused(shell: DeployerShell, boot: FakeBootService) -> None:
    """It would come up unreachable."""
    shell.run("place_network")

    assert boot.deployment is not None
    assert boot.deployment.failure["code"] == "no_network_configuration"


def test_keys_are_the_accounts_own_and_never_looked_into(shell: DeployerShell) -> None:
    """Whatever a customer's key holds is bytes in a file with the account's owner and mode."""
    shell.plan(session="session-of-this-boot", user="debian")

    done = shell.run("place_keys")

    assert done.returncode == 0, done.stderr
    assert _placed(shell, "home/debian/.ssh/authorized_keys") == (_KEY, "0o600", 1000)
    assert (shell.folder / "mnt/home/debian/.ssh").stat().st_gid == 1001


def test_an_account_that_is_missing_is_said(shell: DeployerShell, boot: FakeBootService) -> None:
    """Unless cloud-init makes it."""
    shell.plan(session="session-of-this-boot", user="nobody-here")
    shell.run("place_keys")
    assert boot.deployment is not None
    assert boot.deployment.failure["code"] == "no_such_user"

    (shell.folder / "mnt/etc/cloud").mkdir()
    assert shell.run("place_keys").returncode == 0


def test_a_link_in_the_image_leads_nowhere_else(shell: DeployerShell, tmp_path: Path) -> None:
    """``/etc/resolv.conf`` as a link out of the system is replaced, not followed."""
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    (shell.folder / "mnt/etc/network").mkdir()
    (shell.folder / "mnt/etc/resolv.conf").symlink_to(outside)

    shell.run("place_network")

    assert outside.read_text() == "untouched"
    assert _placed(shell, "etc/resolv.conf")[0] == _FILES["resolv.conf"]


@pytest.mark.parametrize("name", ["a b\n", "x;reboot\n", "\n", "$(id)\n"])
def test_a_name_that_is_none_is_refused(shell: DeployerShell, boot: FakeBootService, name: str) -> None:
    """It goes into /etc/hosts, so it has to be one."""
    assert boot.deployment is not None
    boot.deployment.files["hostname"] = name

    shell.run("place_name")

    assert boot.deployment.failure["code"] == "bad_file"


def test_a_name_is_known_to_its_own_system(shell: DeployerShell) -> None:
    """With and without the domain."""
    assert shell.run("place_name").returncode == 0
    assert "127.0.1.1 web.example.org web\n" in _placed(shell, "etc/hosts")[0]


def test_a_missing_file_is_said(shell: DeployerShell, boot: FakeBootService) -> None:
    """404 is a file that is not there, and no deployment that is over."""
    assert boot.deployment is not None
    del boot.deployment.files["callback"]

    shell.run("place callback /etc/slipway/callback 0600")

    assert boot.deployment.failure["code"] == "file_missing"


def test_a_system_with_systemd_tells_of_its_first_boot(shell: DeployerShell, boot: FakeBootService) -> None:
    """The unit's script sends the token of ``/etc/slipway/callback`` once, and deletes it."""
    (shell.folder / "mnt/etc/systemd/system").mkdir(parents=True)
    shell.write("mnt/bin/bash", "").chmod(0o755)
    shell.run("place_first_boot")
    wanted = shell.folder / "mnt/etc/systemd/system/multi-user.target.wants/slipway-first-boot.service"
    assert wanted.read_text().startswith("[Unit]")

    assert boot.deployment is not None
    callback = shell.write("callback", f"{boot.base_url}/deployments/1/running\n{boot.deployment.callback}\n")
    script = (SCRIPTS / "first-boot").read_text().replace("/etc/slipway/callback", str(callback))
    subprocess.run(["/bin/bash", "-c", script], check=True, timeout=30, capture_output=True)

    assert boot.deployment.running["hostname"]
    assert not callback.exists()


def test_uefi_gets_one_entry_a_disk(shell: DeployerShell) -> None:
    """Those of an earlier installation are replaced; BIOS machines are left alone."""
    calls = shell.folder / "calls"
    listing = "Boot0001* Slipway vda\\nBoot0002* Network"
    fake = f'#!/bin/sh\n[ $# = 0 ] && printf "{listing}\\n" || echo "$*" >>{calls}\n'
    shell.write("tools/efibootmgr", fake).chmod(0o755)
    shell.write("tools/blkid", "#!/bin/sh\necho c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n").chmod(0o755)
    shell.add_disk("vda", 1 << 20, vda1__partition="1\n", vda1__start="2048\n")
    script = f"PATH={shell.folder}/tools:$PATH; set_boot_entry vda"

    assert shell.run(script).returncode == 0
    assert not calls.exists()
    (shell.folder / "sys/firmware/efi").mkdir(parents=True)
    shell.run(script)

    removed, made = calls.read_text().splitlines()
    assert removed == "--quiet --bootnum 0001 --delete-bootnum"
    assert "--part 1 --label Slipway vda --loader \\EFI\\BOOT\\BOOTX64.EFI" in made


_ENTERED = "slipway.entered=rescue slipway.mac=52:54:00:00:00:01 slipway.vlan=4001 slipway.address=10.20.0.10/24"


def test_through_a_rescue_system_the_firmwares_order_stays(shell: DeployerShell) -> None:
    """The hosting provider's network has to come first, or its rescue system is never reached again."""
    shell.write("proc/cmdline", f"{_ENTERED}\n")
    shell.write("tools/efibootmgr", f"#!/bin/sh\necho called >{shell.folder}/calls\n").chmod(0o755)
    shell.add_disk("vda", 1 << 20, vda1__partition="1\n", vda1__start="2048\n")
    (shell.folder / "sys/firmware/efi").mkdir(parents=True)
    assert shell.run(f"PATH={shell.folder}/tools:$PATH; set_boot_entry vda").returncode == 0
    assert not (shell.folder / "calls").exists()


def test_the_installed_system_is_told_of_the_vlan(shell: DeployerShell) -> None:
    """A third line of what it calls back with; without a VLAN there are two."""
    script = "place callback /etc/slipway/callback 0600; tell_of_vlan"
    assert shell.run(script).returncode == 0
    assert _placed(shell, "etc/slipway/callback")[0] == _FILES["callback"]
    shell.write("proc/cmdline", (shell.folder / "proc/cmdline").read_text().strip() + f" {_ENTERED}\n")
    shell.run(script)
    third = "4001 52:54:00:00:00:01 10.20.0.10/24\n"
    assert _placed(shell, "etc/slipway/callback")[:2] == (_FILES["callback"] + third, "0o600")


def test_an_installed_system_calls_over_the_vlan_and_leaves_it(shell: DeployerShell, boot: FakeBootService) -> None:
    """On the card with the recorded address; nothing of it stays."""
    assert boot.deployment is not None
    for name, mac in (("eth0", "52:54:00:00:00:02"), ("eth1", "52:54:00:00:00:01"), ("slip", "52:54:00:00:00:01")):
        shell.write(f"sys/class/net/{name}/address", f"{mac}\n")
    for name in ("eth0", "eth1"):
        (shell.folder / f"sys/class/net/{name}/device").mkdir()
    for name in ("ip", "modprobe"):
        shell.write(f"tools/{name}", f'#!/bin/sh\necho "$*" >>{shell.folder}/calls\n').chmod(0o755)
    lines = f"{boot.base_url}/deployments/1/running\n{boot.deployment.callback}\n4001 52:54:00:00:00:01 10.20.0.10/24\n"
    callback = shell.write("callback", lines)
    script = (SCRIPTS / "first-boot").read_text().replace("/etc/slipway/callback", str(callback))
    script = script.replace("/sys/class/net", f"{shell.folder}/sys/class/net")
    path = f"{shell.folder}/tools:/usr/bin:/bin"
    subprocess.run(["/bin/bash", "-c", script], check=True, timeout=30, capture_output=True, env={"PATH": path})

    assert boot.deployment.running["hostname"]
    assert not callback.exists()
    assert (shell.folder / "calls").read_text().splitlines() == [
        "8021q",
        "link add link eth1 name slipway type vlan id 4001",
        "link set dev slipway mtu 1400",
        "link set dev slipway up",
        "address add 10.20.0.10/24 dev slipway",
        "link delete slipway",
    ]


def test_the_deployer_joins_a_vlan_without_dhcp(shell: DeployerShell) -> None:
    """On the card that it was started for, with the address that it was given."""
    shell.write("proc/cmdline", f"{_ENTERED}\n")
    shell.write("sys/class/net/eth0/address", "52:54:00:00:00:01\n")
    noted = f'ip() {{ echo "ip $*" >>{shell.folder}/calls; }}; udhcpc() {{ echo dhcp >>{shell.folder}/calls; }}; '
    done = shell.run(f"modprobe() {{ :; }}; {noted} bring_up_network 52-54-00-00-00-01")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "calls").read_text().splitlines() == [
        "ip link set lo up",
        "ip link set eth0 up",
        "ip link add link eth0 name slipway type vlan id 4001",
        "ip link set dev slipway mtu 1400",
        "ip link set dev slipway up",
        "ip addr add 10.20.0.10/24 dev slipway",
    ]
