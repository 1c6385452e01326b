"""Installers' and cloud-init's files: what they say, and that nothing breaks out of its place."""

import base64
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from api.errors import NotFound
from api.machines.netboot.scripts import BootFromDisk, BootFromNetwork
from api.machines.netboot.seeding import Seed
from components.specs.machine import BootProfile, DeploymentKind, DiskLayout, ImageFormat
from pxe.boot.ipxe import render_local, render_network
from pxe.boot.placed import render_placed
from pxe.boot.seeds.documents import render_seed
from pxe.boot.seeds.preseed import value_of
from pxe.boot.seeds.setup import setup_script
from tests.fixtures.boot_service import boot_profile, installer_profile, ssh_key
from tests.fixtures.platform_tools import run

BASE, TOKEN = "http://192.0.2.10:8080", "tOkEn-_" * 6
MAC = "52:54:00:00:00:01"
INSTALLERS = [image_format for image_format in ImageFormat if image_format is not ImageFormat.RAW]
MAIN_FILE = {
    ImageFormat.INSTALLER_DEBIAN: "preseed.cfg",
    ImageFormat.INSTALLER_UBUNTU: "user-data",
    ImageFormat.INSTALLER_ROCKY: "ks.cfg",
    ImageFormat.INSTALLER_PROXMOX: "answer.toml",
}
HOSTILE = [
    "a\nroot:x:0:0",
    "a\r\nd-i preseed/late_command string reboot",
    "'; touch /tmp/owned; '",
    '"; touch /tmp/owned; "',
    "$(touch /tmp/owned)",
    "`touch /tmp/owned`",
    "a\\",
    "a: {b: [c",
    "%end\n%post\nreboot",
    "x\x00y\x1b[2J\u2028z",
    "${IFS}&& reboot #",
]


def seed_of(profile: BootProfile) -> Seed:
    """Return a seed of this profile."""
    return Seed(UUID(int=7), profile, MAC, "SN-1", "ca11bacc")


def hostile_profile(text: str, image_format: ImageFormat = ImageFormat.RAW, **changes: Any) -> BootProfile:
    """Return a profile that its spec would never let through."""
    made = boot_profile() if image_format is ImageFormat.RAW else installer_profile(image_format, **changes)
    fields = {name: getattr(made, name) for name in BootProfile.model_fields}
    fields |= {"hostname": text, "ssh_keys": (f"{ssh_key()} {text}",)}
    return BootProfile.model_construct(**fields)


def test_the_files_that_the_deployer_places_are_as_the_system_reads_them() -> None:
    """A /32 with its gateway off the link, a /64, and the customer's keys."""
    seed = seed_of(boot_profile())

    assert render_placed("hostname", seed, BASE) == "box-1\n"
    assert render_placed("authorized_keys", seed, BASE) == f"{ssh_key()}\n"
    assert render_placed("resolv.conf", seed, BASE) == "nameserver 192.0.2.53\nnameserver 2001:db8:53::53\n"
    assert render_placed("callback", seed, BASE) == f"{BASE}/deployments/{UUID(int=7)}/running\nca11bacc\n"
    assert render_placed("interfaces", seed, BASE) == (
        f"# {MAC}\nauto lo\niface lo inet loopback\n\n"
        "auto eth0\n\n"
        "iface eth0 inet static\n    address 203.0.113.7/32\n"
        "    up ip -4 route replace default via 203.0.113.1 dev $IFACE onlink\n\n"
        "iface eth0 inet6 static\n    address 2001:db8:1::1/64\n    gateway fe80::1\n"
    )
    (card,) = yaml.safe_load(render_placed("netplan.yaml", seed, BASE))["network"]["ethernets"].values()
    assert card["match"] == {"macaddress": MAC}
    assert card["addresses"] == ["203.0.113.7/32", "2001:db8:1::1/64"]
    assert card["routes"] == [
        {"to": "0.0.0.0/0", "via": "203.0.113.1", "on-link": True},
        {"to": "::/0", "via": "fe80::1"},
    ]
    assert yaml.safe_load(render_placed("network-config", seed, BASE))["version"] == 2
    assert yaml.safe_load(render_placed("meta-data", seed, BASE)) == {
        "instance-id": str(UUID(int=7)),
        "local-hostname": "box-1",
    }
    with pytest.raises(NotFound):
        render_placed("../callback", seed, BASE)


def test_a_gateway_within_the_network_needs_no_word() -> None:
    """As on a switched network."""
    network = {
        "ipv4": {"address": "203.0.113.7", "prefix_length": 24, "gateway": "203.0.113.1"},
        "ipv6": {"network": "2001:db8:1::/64", "address": "2001:db8:1::7", "gateway": "2001:db8:1::1"},
    }
    text = render_placed("interfaces", seed_of(boot_profile(network=network)), BASE)

    assert "onlink" not in text
    assert "gateway 203.0.113.1" in text
    assert render_placed("resolv.conf", seed_of(boot_profile(network=network)), BASE) == ""


@pytest.mark.parametrize("user", ["root", "debian"])
def test_cloud_config_lets_nobody_in_by_password(user: str) -> None:
    """Keys only, and root only where the image has nobody else; cloud-init finds no fault with it."""
    text = render_placed("user-data", seed_of(boot_profile(user=user)), BASE)
    document = yaml.safe_load(text)

    assert text.startswith("#cloud-config\n")
    assert document["ssh_pwauth"] is False
    assert document["disable_root"] is (user != "root")
    assert document["users"][0]["ssh_authorized_keys"] == [ssh_key()]
    assert document["users"][0]["lock_passwd"] is True


def test_cloud_init_accepts_the_cloud_config(tmp_path: Path) -> None:
    """By its own schema."""
    (tmp_path / "user-data").write_text(render_placed("user-data", seed_of(boot_profile(user="debian")), BASE))

    run("cloud-init", "schema", "--config-file", tmp_path / "user-data")


@pytest.mark.parametrize("image_format", INSTALLERS)
def test_each_installer_gets_its_own_files_and_no_others(image_format: ImageFormat) -> None:
    """A preseed file is nothing for Anaconda."""
    seed = seed_of(installer_profile(image_format))

    assert render_seed(MAIN_FILE[image_format], seed, TOKEN, BASE)
    for name in {*MAIN_FILE.values(), "authorized_keys", "callback"} - {MAIN_FILE[image_format]}:
        with pytest.raises(NotFound):
            render_seed(name, seed, TOKEN, BASE)


@pytest.mark.parametrize("layout", list(DiskLayout))
def test_a_preseed_file_is_read_as_it_is_meant(layout: DiskLayout) -> None:
    """One question a line; its shell commands are ones; the serial number is checked before anything else."""
    seed = seed_of(installer_profile(ImageFormat.INSTALLER_DEBIAN, layout=layout))
    answers = dict(preseed_answers(render_seed("preseed.cfg", seed, TOKEN, BASE)))

    assert answers["netcfg/get_hostname"] == "box-1"
    assert answers["passwd/root-password-crypted"] == "!!"
    assert answers["partman-auto/method"] == ("regular" if layout is DiskLayout.SINGLE else "raid")
    assert "phase=inspect&serial=" in answers["preseed/early_command"]
    assert "poweroff" in answers["preseed/early_command"]
    assert "debconf-set partman-auto/disk" in answers["partman/early_command"]
    for command in ("preseed/early_command", "partman/early_command", "preseed/late_command"):
        check_shell(answers[command])


@pytest.mark.parametrize(
    ("layout", "disks", "chosen"),
    [
        (DiskLayout.SINGLE, {"sda": 100, "sdb": 10, "sdc": 1}, "/dev/sdb"),
        (DiskLayout.SINGLE, {"nvme0n1": 10, "loop0": 10, "sr0": 10}, "/dev/nvme0n1"),
        (DiskLayout.RAID1, {"sda": 10, "sdb": 20, "sdc": 20}, "/dev/sdb /dev/sdc"),
        (DiskLayout.RAID1, {"nvme0n1": 9, "nvme1n1": 9, "sda": 30}, "/dev/nvme0n1 /dev/nvme1n1"),
    ],
)
def test_the_installer_chooses_disks_as_the_boot_service_would(
    tmp_path: Path, layout: DiskLayout, disks: dict[str, int], chosen: str
) -> None:
    """Its shell command is run here, on made-up disks."""
    seed = seed_of(installer_profile(ImageFormat.INSTALLER_DEBIAN, layout=layout))
    command = dict(preseed_answers(render_seed("preseed.cfg", seed, TOKEN, BASE)))["partman/early_command"]
    gib_in_sectors = 2 * 1024 * 1024
    for name, gib in disks.items():
        folder = tmp_path / "sys" / "block" / name
        folder.mkdir(parents=True)
        (folder / "size").write_text(f"{gib * gib_in_sectors}\n")
        (folder / "removable").write_text("0\n")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, does in (("debconf-set", 'echo "$1=$2"'), ("wget", ":")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    for place in ("/sys/block", "/usr/lib", "/lib/partman"):
        command = command.replace(f" {place}/", f" {tmp_path / place[1:]}/").replace(
            f">{place}/", f">{tmp_path / place[1:]}/"
        )
    said = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        env={"PATH": f"{tools}:/usr/bin:/bin"},
    ).stdout

    assert f"partman-auto/disk={chosen}\n" in said
    hooks = [path for path in tmp_path.rglob("*slipway") if path.is_file()]
    assert len(hooks) == 3
    for hook in hooks:
        check_shell(hook.read_text())
    if layout is DiskLayout.RAID1:
        parts = [f"{disk}{'p' if 'nvme' in disk else ''}3" for disk in chosen.split()]
        assert f"partman-auto-raid/recipe=1 2 0 ext4 / {'#'.join(parts)} .\n" in said


def test_an_account_that_no_password_opens_may_become_root() -> None:
    """It is made if the installer has not; root itself needs nothing of it."""
    usual = setup_script(seed_of(boot_profile()), BASE)
    other = setup_script(seed_of(boot_profile(user="debian")), BASE)

    assert "useradd" not in usual
    assert "sudoers" not in usual
    assert "useradd --create-home --shell /bin/bash debian" in other
    assert "debian ALL=(ALL) NOPASSWD:ALL" in other
    answers = dict(preseed_answers(render_seed("preseed.cfg", seed_of(_of_debian("debian")), TOKEN, BASE)))
    assert answers["pkgsel/include"] == "openssh-server sudo"


def _of_debian(user: str) -> BootProfile:
    return installer_profile(ImageFormat.INSTALLER_DEBIAN, user=user)


@pytest.mark.parametrize("layout", list(DiskLayout))
def test_an_autoinstall_file_is_read_as_it_is_meant(layout: DiskLayout) -> None:
    """Version 1, keys only, the serial number first."""
    seed = seed_of(installer_profile(ImageFormat.INSTALLER_UBUNTU, layout=layout))
    document = yaml.safe_load(render_seed("user-data", seed, TOKEN, BASE))["autoinstall"]

    assert document["version"] == 1
    assert document["ssh"]["allow-pw"] is False
    assert document["identity"]["hostname"] == "box-1"
    assert "serial=" in document["early-commands"][0][2]
    assert ("config" in document["storage"]) is (layout is DiskLayout.RAID1)
    for command in (*document["early-commands"], *document["late-commands"], *document["error-commands"]):
        check_shell(command[-1])


@pytest.mark.parametrize("layout", list(DiskLayout))
def test_a_kickstart_file_is_read_as_it_is_meant(layout: DiskLayout) -> None:
    """Root has no password, the serial number is checked in %pre."""
    seed = seed_of(installer_profile(ImageFormat.INSTALLER_ROCKY, layout=layout))
    text = render_seed("ks.cfg", seed, TOKEN, BASE)
    scripts = re.findall(r"^%(?:pre|post)[^\n]*\n(.*?)^%end$", text, re.DOTALL | re.MULTILINE)

    assert "rootpw --lock" in text
    assert "--netmask=255.255.255.255" in text
    assert "--hostname=box-1" in text
    assert len(scripts) == 2
    assert "serial=" in scripts[0]
    for script in scripts:
        check_shell(script)


@pytest.mark.parametrize("layout", list(DiskLayout))
def test_a_proxmox_answer_file_is_read_as_it_is_meant(layout: DiskLayout) -> None:
    """TOML, with the customer's keys as root's."""
    seed = seed_of(installer_profile(ImageFormat.INSTALLER_PROXMOX, layout=layout))
    document = tomllib.loads(render_seed("answer.toml", seed, TOKEN, BASE))

    assert document["global"]["fqdn"] == "box-1.invalid"
    assert document["global"]["root-ssh-keys"] == [ssh_key()]
    assert document["network"]["cidr"] == "203.0.113.7/32"
    assert document["network"]["filter"]["ID_NET_NAME_MAC"] == "*525400000001"
    assert document["disk-setup"]["filesystem"] == ("ext4" if layout is DiskLayout.SINGLE else "zfs")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_the_deployers_files(text: str) -> None:
    """YAML reads back what went in; a file of one line has one line."""
    seed = seed_of(hostile_profile(text))

    assert yaml.safe_load(render_placed("user-data", seed, BASE).partition("\n")[2])["hostname"] == text
    assert yaml.safe_load(render_placed("meta-data", seed, BASE))["local-hostname"] == text
    users = yaml.safe_load(render_placed("user-data", seed, BASE).partition("\n")[2])["users"]
    assert users[0]["ssh_authorized_keys"] == [f"{ssh_key()} {text}"]
    assert len(users) == 1
    for name in ("authorized_keys", "hostname"):
        rendered = render_placed(name, seed, BASE)
        assert rendered.endswith("\n")
        assert rendered[:-1].isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_a_preseed_file(text: str) -> None:
    """There are the same questions as ever, in the same order; no value goes on in the next line."""
    good = render_seed("preseed.cfg", seed_of(installer_profile(ImageFormat.INSTALLER_DEBIAN)), TOKEN, BASE)
    bad = render_seed("preseed.cfg", seed_of(hostile_profile(text, ImageFormat.INSTALLER_DEBIAN)), TOKEN, BASE)

    assert [name for name, _ in preseed_answers(bad)] == [name for name, _ in preseed_answers(good)]
    assert not any(line.endswith("\\") for line in bad.splitlines())
    check_shell(dict(preseed_answers(bad))["preseed/late_command"])
    assert "owned" not in dict(preseed_answers(bad))["preseed/late_command"]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_the_other_installers_files(text: str) -> None:
    """YAML, TOML and kickstart: the same keys as ever."""
    ubuntu = yaml.safe_load(
        render_seed("user-data", seed_of(hostile_profile(text, ImageFormat.INSTALLER_UBUNTU)), TOKEN, BASE)
    )
    assert ubuntu["autoinstall"]["identity"]["hostname"] == text
    assert ubuntu["autoinstall"]["ssh"]["authorized-keys"] == [f"{ssh_key()} {text}"]

    proxmox = tomllib.loads(
        render_seed("answer.toml", seed_of(hostile_profile(text, ImageFormat.INSTALLER_PROXMOX)), TOKEN, BASE)
    )
    assert set(proxmox) == {"global", "network", "disk-setup"}
    assert len(proxmox["global"]["root-ssh-keys"]) == 1

    good = render_seed("ks.cfg", seed_of(installer_profile(ImageFormat.INSTALLER_ROCKY)), TOKEN, BASE)
    rocky = render_seed("ks.cfg", seed_of(hostile_profile(text, ImageFormat.INSTALLER_ROCKY)), TOKEN, BASE)
    assert [line.split(" ")[0] for line in rocky.splitlines()] == [line.split(" ")[0] for line in good.splitlines()]
    (network,) = [line for line in rocky.splitlines() if line.startswith("network ")]
    assert [word.split("=")[0] for word in shlex.split(network)] == [
        word.split("=")[0]
        for word in shlex.split(next(line for line in good.splitlines() if line.startswith("network ")))
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_script_for_the_new_system_writes_what_it_should_and_runs_nothing_else(text: str, tmp_path: Path) -> None:
    """It is run here, below a folder: the keys are what they were, on one line, and nothing else has happened."""
    seed = seed_of(hostile_profile(text))
    for folder in ("etc/systemd/system", "etc/network", "usr/local/sbin", "root"):
        (tmp_path / folder).mkdir(parents=True)
    script = setup_script(seed, BASE)
    for place in ("/etc/", "/usr/local/"):
        script = script.replace(f">{place}", f">{tmp_path}{place}")
        script = script.replace(f" {place}", f" {tmp_path}{place}")
    fakes = f'getent() {{ echo "root:x:0:0::{tmp_path}/root:/bin/sh"; }}; chown() {{ :; }}; passwd() {{ :; }}\n'
    subprocess.run(["/bin/sh", "-c", fakes + script.replace("\x00", "")], check=True, timeout=20, cwd=tmp_path)

    kept = "".join(character for character in text if character.isprintable())
    assert (tmp_path / "root/.ssh/authorized_keys").read_text() == f"{ssh_key()} {kept}\n"
    assert (tmp_path / "etc/hostname").read_text() == f"{kept}\n"
    assert (tmp_path / "etc/slipway/callback").read_text().splitlines()[1] == "ca11bacc"
    assert "PasswordAuthentication no" in (tmp_path / "etc/ssh/sshd_config.d/10-slipway.conf").read_text()
    assert not Path("/tmp/owned").exists()  # noqa: S108 - what the hostile texts would make
    assert sorted(path.name for path in tmp_path.iterdir()) == ["etc", "root", "usr"]


@pytest.mark.parametrize(("text", "value"), [("a\nb", "ab"), ("a\\", "a"), ("a\\\\", "a"), ("a \\ b", "a \\ b")])
def test_a_preseed_value_is_one_line(text: str, value: str) -> None:
    """A backslash at a line's end would take the next line in."""
    assert value_of(text) == value


@pytest.mark.parametrize("image_format", INSTALLERS)
def test_an_installers_boot_script_names_its_files_and_its_card(image_format: ImageFormat) -> None:
    """With what platform engineering has added."""
    boot = BootFromNetwork(UUID(int=7), TOKEN, MAC, DeploymentKind.INSTALL, image_format, "some-installer")
    script = render_network(boot, BASE, "mirror/http/hostname=mirror.example")

    assert f"kernel {BASE}/boot/installers/some-installer/kernel " in script
    assert f"{BASE}/seed/{TOKEN}/" in script
    assert "BOOTIF=01-52-54-00-00-00-01" in script
    assert "mirror/http/hostname=mirror.example initrd=initrd" in script


def test_a_script_for_the_own_disk_says_why_in_plain_characters() -> None:
    """Whatever is in the reason."""
    script = render_local(BootFromDisk("because\nkernel http://evil/ ${x} || `y`"))

    assert [line.split(" ")[0] for line in script.splitlines()] == ["#!ipxe", "echo", "iseq", "sanboot"]
    assert "${x}" not in script


def preseed_answers(text: str) -> Iterator[tuple[str, str]]:
    """Read a preseed file as debconf-set-selections(1) does: owner, question, type, value."""
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            owner, question, kind, *value = line.split(" ", 3)
            assert owner.isascii()
            assert kind in {"string", "boolean", "select", "multiselect", "password", "note"}, line
            yield question, value[0] if value else ""


def check_shell(script: str) -> None:
    """Have a shell read a script without running it; and what it carries in base64, too."""
    for text in (
        script,
        *(base64.b64decode(found).decode() for found in re.findall(r"echo ([A-Za-z0-9+/=]+) \|", script)),
    ):
        ended = subprocess.run(["/bin/bash", "-n", "-c", text], capture_output=True, text=True, check=False, timeout=20)
        assert ended.returncode == 0, ended.stderr
