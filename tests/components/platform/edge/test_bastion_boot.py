"""What a bastion is booted with, held against the programs that read it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform.edge.bastion_boot import bastion_user_data, nftables
from components.platform.edge.wireguard import INTERFACE, interface_file, peers_file
from components.specs.platform.edge import BastionSpec, EdgeSpec
from tests.fixtures.edge_estate import lab_edge


def bastion(**more: Any) -> BastionSpec:
    """The lab's bastion, but for what is said."""
    return EdgeSpec.model_validate({**lab_edge(), "bastion": {**lab_edge()["bastion"], **more}}).bastion


def tool(name: str) -> str:
    """A program of the system's; without it the test is skipped, unless the tools must be there."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        assert not os.environ.get("SLIPWAY_NEEDS_PLATFORM_TOOLS"), f"{name} is missing: make platform-tools"
        pytest.skip(f"{name} is not installed: make platform-tools")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it said."""
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=60)


BASTIONS = [
    pytest.param({}, id="as-in-the-lab"),
    pytest.param({"ssh_from": ["192.0.2.0/24", "198.51.100.7/32"], "way_out_for": []}, id="before-the-vpn"),
]


@pytest.mark.parametrize("more", BASTIONS)
def test_cloud_init_takes_the_user_data(more: dict[str, Any], tmp_path: Path) -> None:
    """Its own schema finds nothing wrong, and Hetzner's limit of 32 KiB is far."""
    text = bastion_user_data(bastion(**more))
    (tmp_path / "user-data").write_text(text)
    checked = run(tool("cloud-init"), "schema", "--config-file", tmp_path / "user-data")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Valid" in checked.stdout
    assert len(text) < 16_384


@pytest.mark.parametrize("more", BASTIONS)
def test_nft_takes_the_rules(more: dict[str, Any], tmp_path: Path) -> None:
    """In a network namespace of its own, checked only."""
    (tmp_path / "nftables.conf").write_text(nftables(bastion(**more)))
    checked = run("unshare", "--net", tool("nft"), "--check", "--file", tmp_path / "nftables.conf")
    if "unshare" in checked.stderr:
        pytest.skip("only root makes network namespaces")
    assert checked.returncode == 0, checked.stderr


def test_ssh_is_let_in_by_the_vpn_alone_once_it_is_set_up() -> None:
    """Before, from the networks that are named."""
    assert "saddr { 192.0.2.0/24 } tcp dport 22 accept" in nftables(bastion(ssh_from=["192.0.2.0/24"]))
    accepted = [line.strip() for line in nftables(bastion()).splitlines() if "dport 22" in line]
    assert accepted == ['iifname "wg0" tcp dport 22 accept']


def test_sshd_takes_its_hardening(tmp_path: Path) -> None:
    """Keys only."""
    sshd, keygen = tool("sshd"), tool("ssh-keygen")
    run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    files = {item["path"]: item["content"] for item in written(bastion())}
    (tmp_path / "sshd_config").write_text(files["/etc/ssh/sshd_config.d/10-slipway.conf"])
    Path("/run/sshd").mkdir(exist_ok=True)
    said = run(sshd, "-T", "-f", tmp_path / "sshd_config", "-h", tmp_path / "key")
    assert said.returncode == 0, said.stderr
    assert {"passwordauthentication no", "permitrootlogin without-password"} <= set(said.stdout.splitlines())


def test_wg_quick_reads_the_interface_and_the_peers(tmp_path: Path) -> None:
    """What it leaves for `wg` is what `wg` knows."""
    (tmp_path / f"{INTERFACE}.conf").write_text(interface_file(bastion().vpn) + "\n" + peers_file(bastion().vpn))
    (tmp_path / f"{INTERFACE}.conf").chmod(0o600)
    stripped = run(tool("wg-quick"), "strip", tmp_path / f"{INTERFACE}.conf")
    assert stripped.returncode == 0, stripped.stderr
    lines = [line for line in stripped.stdout.splitlines() if line]
    assert lines[:2] == ["[Interface]", "ListenPort = 51820"]
    assert lines.count("[Peer]") == 2


def test_no_secret_is_in_the_user_data_and_the_same_configuration_gives_the_same() -> None:
    """Hetzner stores it, and every process on the server can read it."""
    text = bastion_user_data(bastion())
    assert "PrivateKey = " not in text.replace("PrivateKey = %s", "")
    assert text == bastion_user_data(bastion())


def written(spec: BastionSpec) -> list[dict[str, Any]]:
    """The files that cloud-init writes."""
    files: list[dict[str, Any]] = yaml.safe_load(bastion_user_data(spec))["write_files"]
    return files
