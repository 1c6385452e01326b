"""Images get into the store in whole, under their checksum, or not at all."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.errors import NotFound
from components.specs.machine import Compression, ImageFormat, MachineImage
from pxe.boot.adding import BadImage, add_image, add_installer
from pxe.boot.cli import boot
from pxe.boot.store import ImageStore
from tests.fixtures.platform_tools import run

RAW = os.urandom(512) * 4096
SHA256 = hashlib.sha256(RAW).hexdigest()


def stored(root: Path) -> list[str]:
    """Return what is in the store."""
    return sorted(path.name for path in (root / "images").iterdir())


def test_a_raw_image_is_kept_as_it_is(tmp_path: Path) -> None:
    """What is served is what is on the disk in the end."""
    (tmp_path / "disk.img").write_bytes(RAW)

    image = add_image(tmp_path, tmp_path / "disk.img", "debian-12", expected_sha256=SHA256.upper())

    assert image == MachineImage(name="debian-12", sha256=SHA256, content_sha256=SHA256, size_bytes=len(RAW))
    assert stored(tmp_path) == [SHA256]
    assert (tmp_path / "images" / SHA256).read_bytes() == RAW
    assert (tmp_path / "images" / SHA256).stat().st_mode & 0o777 == 0o644


def test_a_compressed_image_is_known_by_both_checksums(tmp_path: Path) -> None:
    """That of the file, and that of what comes out; two members in one file are one image."""
    packed = gzip.compress(RAW[:1024]) + gzip.compress(RAW[1024:])
    (tmp_path / "disk.gz").write_bytes(packed)

    image = add_image(tmp_path, tmp_path / "disk.gz", "debian-12")

    assert (image.compression, image.size_bytes) == (Compression.GZIP, len(RAW))
    assert (image.sha256, image.content_sha256) == (hashlib.sha256(packed).hexdigest(), SHA256)


def test_compressing_the_same_image_twice_makes_the_same_file(tmp_path: Path) -> None:
    """No time, no name in it."""
    (tmp_path / "disk.img").write_bytes(RAW)

    first, second = (add_image(tmp_path, tmp_path / "disk.img", "x", compress=True) for _ in range(2))

    assert first == second
    assert stored(tmp_path) == [first.sha256]
    assert gzip.decompress((tmp_path / "images" / first.sha256).read_bytes()) == RAW


@pytest.mark.parametrize("compress", [True, False])
def test_a_qcow2_image_is_converted(tmp_path: Path, *, compress: bool) -> None:
    """By qemu-img."""
    (tmp_path / "disk.img").write_bytes(RAW)
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", tmp_path / "disk.img", tmp_path / "disk.qcow2")

    image = add_image(tmp_path, tmp_path / "disk.qcow2", "debian-12", compress=compress)

    assert (image.content_sha256, image.size_bytes) == (SHA256, len(RAW))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ""),
        (RAW[:-1], ""),
        (gzip.compress(RAW)[:-20], ""),
        (gzip.compress(RAW)[:5000] + b"damaged" + gzip.compress(RAW)[5007:], ""),
        (gzip.compress(RAW) + b"rubbish", ""),
        (RAW, "0" * 64),
    ],
)
def test_what_is_no_whole_image_leaves_nothing_behind(tmp_path: Path, content: bytes, expected: str) -> None:
    """Cut off, damaged, or not what its publisher says."""
    (tmp_path / "disk").write_bytes(content)

    with pytest.raises(BadImage):
        add_image(tmp_path, tmp_path / "disk", "debian-12", expected_sha256=expected)

    assert stored(tmp_path) == []


def test_the_command_prints_what_the_catalogue_says(tmp_path: Path) -> None:
    """And says in a sentence what is wrong."""
    (tmp_path / "disk.img").write_bytes(RAW)
    command = ["images", "add", str(tmp_path / "disk.img"), "--name", "debian-12", "--store", str(tmp_path)]

    good = CliRunner().invoke(boot, command)
    bad = CliRunner().invoke(boot, [*command, "--sha256", "0" * 64])

    assert good.exit_code == 0, good.output
    assert json.loads(good.stdout)["sha256"] == SHA256
    assert bad.exit_code == 1
    assert "fetch it again" in bad.output


def test_python_m_runs_the_commands() -> None:
    """As a host's unit file does."""
    said = subprocess.run(
        [sys.executable, "-m", "pxe.boot", "--help"], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert {"serve", "images", "dnsmasq"} <= set(said.split())


def add_debian(
    folder: Path,
    name: str = "debian-13",
    kind: ImageFormat = ImageFormat.INSTALLER_DEBIAN,
    arguments: str = "mirror/suite=trixie",
) -> MachineImage:
    """Put an installer of made-up files into a store that lies beside them."""
    kernel, initrd = folder / "linux", folder / "initrd.gz"
    kernel.write_bytes(b"a kernel")
    initrd.write_bytes(b"an initrd")
    return add_installer(folder, name, kind, kernel=kernel, initrd=initrd, arguments=arguments, size_bytes=3 << 30)


def test_an_installer_is_kept_with_its_arguments(tmp_path: Path) -> None:
    """Its image is known by the checksums of its files: another installer is another image."""
    image = add_debian(tmp_path)
    folder = tmp_path / "installers" / "debian-13"

    assert image.format is ImageFormat.INSTALLER_DEBIAN
    assert image.sha256 == hashlib.sha256(b"an initrd").hexdigest()
    assert image.content_sha256 == hashlib.sha256(b"a kernel").hexdigest()
    assert sorted(path.name for path in folder.iterdir()) == ["arguments", "initrd", "kernel"]
    assert ImageStore(tmp_path).installer_arguments("debian-13") == "mirror/suite=trixie"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"arguments": "a\nboot http://elsewhere/"}, ValueError),
        ({"arguments": "a || exit"}, ValueError),
        ({"name": "a..b"}, NotFound),
        ({"kind": ImageFormat.RAW}, BadImage),
    ],
)
def test_what_no_boot_script_may_hold_is_not_added(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception]
) -> None:
    """Nothing of it is in the store then."""
    with pytest.raises(error):
        add_debian(tmp_path, **changes)

    assert not (tmp_path / "installers").exists()


def test_the_command_says_what_the_catalogue_has_to_say_of_an_installer(tmp_path: Path) -> None:
    """As JSON, for a template's `machine_image`."""
    (tmp_path / "linux").write_bytes(b"a kernel")
    (tmp_path / "initrd.gz").write_bytes(b"an initrd")
    files = ["--kernel", str(tmp_path / "linux"), "--initrd", str(tmp_path / "initrd.gz")]

    said = CliRunner().invoke(boot, ["installers", "add", "--name", "debian-13", *files, "--store", str(tmp_path)])

    image = MachineImage.model_validate_json(said.output)
    assert (image.name, image.format, image.size_bytes) == ("debian-13", ImageFormat.INSTALLER_DEBIAN, 4 << 30)
