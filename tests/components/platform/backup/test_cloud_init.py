"""The backup server's first boot."""

from pathlib import Path

import yaml

from components.platform.backup.cloud_init import first_boot
from components.specs.platform.backup import BackupSpec
from tests.fixtures.platform_tools import run
from tests.fixtures.small_estate import configured


def boot() -> str:
    """That of the lab's server."""
    return first_boot(BackupSpec.model_validate(configured("lab-backup")), "4711")


def test_cloud_init_takes_it(tmp_path: Path) -> None:
    """Held against cloud-init's own schema."""
    file = tmp_path / "user-data"
    file.write_text(boot())
    assert "Valid" in run("cloud-init", "schema", "--config-file", file)


def test_the_volume_is_where_the_datastore_is() -> None:
    """By Hetzner's number of it; the server is reached by its own port and by the exporter's only."""
    document = yaml.safe_load(boot())
    assert document["mounts"][0][:2] == ["/dev/disk/by-id/scsi-0HC_Volume_4711", "/mnt/datastore/main"]
    (firewall,) = [item["content"] for item in document["write_files"] if item["path"] == "/etc/nftables.conf"]
    assert "tcp dport { 8007, 9100 } accept" in firewall


def test_the_firewall_is_one_that_nft_reads(tmp_path: Path) -> None:
    """Checked and not loaded."""
    document = yaml.safe_load(boot())
    file = tmp_path / "nftables.conf"
    file.write_text(next(item["content"] for item in document["write_files"] if "nftables" in item["path"]))
    run("nft", "--check", "--file", file)
