"""The initrd's scripts, one by one, in busybox's shell on this computer."""

import gzip
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.specs.machine import Compression, MachineImage
from tests.fakes.boot_server import FakeBootService, FakeDeployment, fake_boot_service
from tests.fixtures.deployer_shell import DeployerShell

pytestmark = pytest.mark.processes

MIB = 1 << 20
_LACKING = "there is no busybox: `make metal-tools` as root installs it"


@pytest.fixture
def shell(tmp_path: Path) -> DeployerShell:
    """A machine that is a folder."""
    if shutil.which("busybox") is None:
        assert not os.environ.get("SLIPWAY_NEEDS_METAL"), _LACKING
        pytest.skip(_LACKING)
    return DeployerShell(tmp_path / "machine")


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[FakeBootService]:
    """A boot service on loopback, with an installation."""
    with fake_boot_service("127.0.0.1", tmp_path / "kernel", tmp_path / "initrd") as service:
        service.deploy(FakeDeployment("install", "SER-1"))
        yield service


def _serve(boot: FakeBootService, folder: Path, content: bytes, **changes: str) -> dict[str, str]:
    packed = gzip.compress(content, mtime=0)
    path = folder / "image.gz"
    path.write_bytes(packed)
    image = MachineImage(
        name="image",
        compression=Compression.GZIP,
        sha256=hashlib.sha256(packed).hexdigest(),
        content_sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
    )
    return boot.serve_image(path, image) | {"kind": "install", "session": "session-of-this-boot"} | changes


@pytest.mark.parametrize("key", ["k", "session-of-43-characters-0123456789abcdefghij", "x" * 64, "y" * 200])
def test_a_report_is_signed_as_rfc_2104_has_it(shell: DeployerShell, tmp_path: Path, key: str) -> None:
    """The shell's HMAC is Python's, for keys shorter and longer than a block, and any bytes."""
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 3)

    said = shell.run(f"hmac_sha256 {key} {body}").stdout.strip()

    assert said == hmac.digest(key.encode(), body.read_bytes(), "sha256").hex()


def test_facts_are_json_whatever_the_hardware_calls_itself(shell: DeployerShell) -> None:
    """Quotes, backslashes and control characters of a disk's model stay inside a string."""
    shell.add_disk("vda", 64 * MIB, device__model='A "fast"\\disk\x01 \n', serial="S\n", queue__rotational="1\n")
    shell.add_disk("loop0", MIB)
    shell.add_disk("sdz", MIB, removable="1\n")
    shell.write("sys/class/net/eth0/address", "52:54:00:00:00:01\n")
    shell.write("sys/class/net/eth0/device/vendor", "0x1af4\n")
    shell.write("sys/class/net/lo/address", "00:00:00:00:00:00\n")

    facts = json.loads(shell.run("facts").stdout)

    assert facts == {
        "serial": "SER-1",
        "product": "Folder",
        "cores": 2,
        "memory_mib": 2000,
        "nics": [{"name": "eth0", "mac": "52:54:00:00:00:01"}],
        "disks": [
            {"name": "vda", "size_bytes": 64 * MIB, "serial": "S", "model": 'A "fast"\\disk', "rotational": True}
        ],
        "firmware": "bios",
    }


@pytest.mark.parametrize(
    "line", ["kind", "=x", "kind=$(reboot)", "kind=a b", "kind=`id`", "ki-nd=a", "kind=a;b", "kind=a'b", "kind=a\\b"]
)
def test_a_plan_with_anything_unsafe_is_refused(shell: DeployerShell, line: str) -> None:
    """Each line is name=value of safe characters, or the whole plan counts for nothing."""
    path = shell.write("run/plan", f"session=abc\n{line}\n")

    assert shell.run(f"plan_is_sound {path}").returncode == 1


def test_a_sound_plan_is_read(shell: DeployerShell) -> None:
    """Values are what follows the first equals sign."""
    shell.plan(kind="install", image="http://10.0.0.1:8080/images/ab", disks="sda,sdb", user="root")

    done = shell.run('plan_is_sound "$RUN/plan" && plan_value image && plan_value disks && plan_value other')

    assert done.stdout.split() == ["http://10.0.0.1:8080/images/ab", "sda,sdb"]


def test_an_image_is_written_and_reads_back(shell: DeployerShell, boot: FakeBootService, tmp_path: Path) -> None:
    """The disk holds the image's bytes, and the check of them agrees."""
    disk = shell.add_disk("vda", 4 * MIB)
    content = os.urandom(2 * MIB + 512)
    shell.connect(boot.base_url)
    shell.plan(**_serve(boot, tmp_path, content))

    done = shell.run("write_image vda && verify_image vda")

    assert done.returncode == 0, done.stderr
    assert disk.read_bytes()[: len(content)] == content


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"image_content_sha256": "0" * 64, "image_sha256": "0" * 64}, "image_checksum"),
        ({"image_content_sha256": "0" * 64}, "verify_failed"),
        ({"image_size": str(8 * MIB)}, "disk_too_small"),
        ({"disks": "vdb"}, "no_disk"),
        ({"image_size": "lots"}, "bad_plan"),
    ],
)
def test_what_is_wrong_with_an_image_is_said(
    shell: DeployerShell, boot: FakeBootService, tmp_path: Path, changes: dict[str, str], code: str
) -> None:
    """The installation gives up with a code of its own for each."""
    shell.add_disk("vda", 4 * MIB)
    shell.connect(boot.base_url)
    shell.plan(**(_serve(boot, tmp_path, os.urandom(MIB), disks="vda", layout="single") | changes))

    done = shell.run("install_image; echo still here")

    assert boot.deployment is not None
    assert boot.deployment.failure["code"] == code, done.stderr
    assert "still here" not in done.stdout


@pytest.mark.parametrize(("sum_of", "code"), [(b"no archive", "image_unpack"), (b"an archive", "image_checksum")])
def test_what_cannot_be_unpacked_is_the_wrong_file_or_no_archive(
    shell: DeployerShell, boot: FakeBootService, tmp_path: Path, sum_of: bytes, code: str
) -> None:
    """The catalogue is wrong about it, or what serves it is."""
    shell.add_disk("vda", 4 * MIB)
    shell.connect(boot.base_url)
    image = _serve(boot, tmp_path, os.urandom(MIB), disks="vda", layout="single")
    (tmp_path / "image.gz").write_bytes(b"no archive")
    shell.plan(**(image | {"image_sha256": hashlib.sha256(sum_of).hexdigest()}))

    shell.run("install_image")

    assert boot.deployment is not None
    assert boot.deployment.failure["code"] == code


def test_no_more_is_written_than_the_image_has(shell: DeployerShell, boot: FakeBootService, tmp_path: Path) -> None:
    """What a file has behind it does not get onto a customer's disk."""
    disk = shell.add_disk("vda", 4 * MIB)
    content = os.urandom(MIB)
    shell.connect(boot.base_url)
    image = _serve(boot, tmp_path, content + b"more")
    shell.plan(**(image | {"image_size": str(MIB), "image_content_sha256": hashlib.sha256(content).hexdigest()}))

    done = shell.run("write_image vda && verify_image vda")

    assert done.returncode == 0, done.stderr
    assert disk.read_bytes() == content + bytes(3 * MIB)


def test_an_image_that_ends_early_is_asked_for_again(
    shell: DeployerShell, boot: FakeBootService, tmp_path: Path
) -> None:
    """Three times, and then the installation gives up and says that it was cut off."""
    shell.add_disk("vda", 4 * MIB)
    shell.connect(boot.base_url)
    boot.cut_after = 1000
    shell.plan(**_serve(boot, tmp_path, os.urandom(MIB)))

    shell.run("write_image vda")

    assert boot.deployment is not None
    assert boot.deployment.failure["code"] == "image_cut_off"
    assert boot.images_served == 3


def test_a_disk_that_is_too_small_is_not_written(shell: DeployerShell, boot: FakeBootService, tmp_path: Path) -> None:
    """It is seen before anything is asked for."""
    disk = shell.add_disk("vda", MIB)
    shell.connect(boot.base_url)
    shell.plan(**_serve(boot, tmp_path, os.urandom(2 * MIB), disks="vda", layout="single"))

    shell.run("install_image")

    assert disk.read_bytes() == bytes(MIB)
    assert boot.images_served == 0


def test_a_deployment_that_is_over_stops_the_machine(shell: DeployerShell, boot: FakeBootService) -> None:
    """A 410 to a phase ends it, with nothing done after."""
    shell.connect(boot.base_url)
    shell.plan(session="session-of-this-boot")
    assert boot.deployment is not None
    boot.deployment.over_at = "verify"

    done = shell.run("phase write now; phase verify now; echo still here")

    assert done.returncode == 1
    assert "still here" not in done.stdout
    assert [phase for phase, _, _ in boot.deployment.phases] == ["write", "verify"]


def test_details_arrive_as_they_are(shell: DeployerShell, boot: FakeBootService) -> None:
    """Ampersands, percent signs and line ends are encoded."""
    shell.connect(boot.base_url)
    shell.plan(session="session-of-this-boot")

    shell.run("phase write 'a=1&b=2 % +\nc'")

    assert boot.deployment is not None
    assert boot.deployment.phases[0][1] == "a=1&b=2 % +\nc"


def test_an_overwritten_disk_is_proven_blank(shell: DeployerShell, boot: FakeBootService) -> None:
    """Without discard the disk is overwritten; its samples are zeros, and the signed report says so."""
    disk = shell.add_disk("vda", 8 * MIB, serial="D1")
    disk.write_bytes(os.urandom(8 * MIB))
    shell.connect(boot.base_url)
    shell.plan(session="session-of-this-boot", disks="vda")

    done = shell.run("wipe_disks")

    assert disk.read_bytes() == bytes(8 * MIB), done.stderr
    assert boot.deployment is not None
    assert boot.deployment.report_is_signed
    report = boot.deployment.document()
    assert report["serial"] == "SER-1"
    assert report["disks"] == [
        {
            "name": "vda",
            "serial": "D1",
            "size_bytes": 8 * MIB,
            "method": "overwrite",
            "samples": 64,
            "nonzero_samples": 0,
        }
    ]


@pytest.mark.parametrize("offset", [0, 8 * MIB - 1, 8 * MIB - MIB])
def test_a_byte_at_either_end_is_found(shell: DeployerShell, offset: int) -> None:
    """The first and the last MiB are read whole."""
    disk = shell.add_disk("vda", 8 * MIB)
    with disk.open("r+b") as file:
        file.seek(offset)
        file.write(b"x")

    assert shell.run("nonzero_samples vda").stdout.strip() == "1"


def test_a_wipe_that_leaves_a_disk_out_is_refused(shell: DeployerShell, boot: FakeBootService) -> None:
    """A plan that does not name every disk of the machine wipes none."""
    disk = shell.add_disk("vda", MIB)
    disk.write_bytes(b"x" * MIB)
    shell.add_disk("vdb", MIB)
    shell.connect(boot.base_url)
    shell.plan(session="session-of-this-boot", disks="vda")

    shell.run("wipe_disks")

    assert boot.deployment is not None
    assert boot.deployment.failure["code"] == "disk_not_planned"
    assert disk.read_bytes() == b"x" * MIB


def test_the_card_is_found_by_its_mac(shell: DeployerShell) -> None:
    """Hyphens, as in addresses, and either case."""
    shell.write("sys/class/net/eth0/address", "52:54:00:00:00:01\n")
    shell.write("sys/class/net/eth1/address", "52:54:00:ab:cd:02\n")

    assert shell.run("card_with 52-54-00-AB-cd-02").stdout.strip() == "eth1"
