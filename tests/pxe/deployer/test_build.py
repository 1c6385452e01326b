"""Kernel and initrd are built once, from Debian's packages, and are the same for the same input."""

import gzip
import subprocess
import threading
from pathlib import Path

import pytest

from lab.metal.tools import program
from pxe.deployer import Deployer, DeployerError, ensure_deployer
from pxe.deployer.build import build_once, file_sha256
from pxe.deployer.cpio import write_initrd
from pxe.deployer.packages import PackageSource
from pxe.deployer.recipe import SCRIPTS

pytestmark = pytest.mark.processes


def _make(folder: Path) -> None:
    folder.mkdir()
    (folder / "manifest.json").write_text('{"kernel_sha256": "k", "initrd_sha256": "i"}')


def test_it_is_built_once_for_all_who_ask_at_once(tmp_path: Path) -> None:
    """The second waits for the first and finds its files."""
    made: list[Path] = []
    together = threading.Barrier(4)

    def make(folder: Path) -> None:
        made.append(folder)
        _make(folder)

    def ask() -> None:
        together.wait(10)
        build_once(tmp_path, "name", make)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_a_build_that_failed_leaves_nothing(tmp_path: Path) -> None:
    """The next one starts anew, and succeeds."""

    def fail(folder: Path) -> None:
        folder.mkdir()
        raise DeployerError("no network")

    with pytest.raises(DeployerError):
        build_once(tmp_path, "name", fail)

    assert [path.name for path in tmp_path.iterdir()] == ["name.lock"]
    assert build_once(tmp_path, "name", _make).kernel_sha256 == "k"


def test_a_fresh_build_replaces_the_old_one(tmp_path: Path) -> None:
    """``refresh`` builds although there is one."""
    build_once(tmp_path, "name", _make)

    def make_more(folder: Path) -> None:
        _make(folder)
        (folder / "kernel").touch()

    again = build_once(tmp_path, "name", make_more, refresh=True)

    assert again.kernel.exists()


def test_an_archive_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    """Whoever builds it and whenever; and cpio(1) reads it."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/tool").write_text("#!/bin/sh\n")
    (root / "bin/tool").chmod(0o755)
    (root / "bin/link").symlink_to("tool")
    for number in (1, 2):
        write_initrd(root, tmp_path / f"{number}.gz")

    assert (tmp_path / "1.gz").read_bytes() == (tmp_path / "2.gz").read_bytes()
    listed = subprocess.run(
        [program("busybox"), "cpio", "-tv"],
        input=gzip.decompress((tmp_path / "1.gz").read_bytes()),
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    lines = {line.split()[5]: line for line in listed.splitlines()}
    assert lines["bin/tool"].startswith("-rwxr-xr-x")
    assert "-> tool" in lines["bin/link"]
    assert lines["dev/console"].startswith("c")


@pytest.mark.usefixtures("metal_tools")
def test_a_package_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message has apt's own words."""
    with pytest.raises(DeployerError, match="no-such-package-of-debians"):
        PackageSource(tmp_path).unpack(["no-such-package-of-debians"], tmp_path / "tree")


def test_the_result_has_the_sums_that_it_says(deployer: Deployer) -> None:
    """And is found again, not built."""
    before = deployer.initrd.stat().st_mtime_ns

    again = ensure_deployer()

    assert again == deployer
    assert file_sha256(deployer.kernel) == deployer.kernel_sha256
    assert file_sha256(deployer.initrd) == deployer.initrd_sha256
    assert deployer.initrd.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", sorted(path.name for path in SCRIPTS.iterdir() if path.suffix != ".service"))
def test_no_script_evaluates_text(name: str) -> None:
    """What machines are sent is compared, cut and copied; it never becomes a command."""
    lines = (SCRIPTS / name).read_text(encoding="utf-8").splitlines()

    assert not [line for line in lines if line.split("#")[0].split()[:1] == ["eval"]]
