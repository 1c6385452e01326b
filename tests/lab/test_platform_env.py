"""``platform.env``."""

import stat
import subprocess
from pathlib import Path

from lab.document import LabDocument
from lab.estate import parse_nodes
from lab.platform_env import dotenv, platform_environment, ssh_key_in


def test_a_shell_reads_back_what_was_written(tmp_path: Path) -> None:
    """Quotes, spaces and dollars in a value do no harm."""
    given = {"PLAIN": "https://127.0.0.1:1", "ODD": "a 'b' \"c\" $HOME `x`"}
    (tmp_path / "platform.env").write_text(dotenv(given))
    script = f'. {tmp_path}/platform.env; printf \'%s\\n%s\' "$PLAIN" "$ODD"'
    assert subprocess.check_output(["/bin/sh", "-c", script], text=True).split("\n") == list(given.values())


def test_each_node_and_each_machine_has_its_variables() -> None:
    """Named as the stacks look them up."""
    document = (
        LabDocument.fresh("slipway.example").with_nodes(parse_nodes("game=1")).with_machines(["game-1", "metal-1"])
    )
    found = platform_environment(document)
    assert found["PROXMOX_VE_PASSWORD_GAME_1"] == document.proxmox.nodes[0].password
    assert found["SLIPWAY_RESCUE_SSH_ADDRESS_METAL_1"] == f"127.0.0.1:{document.rescue.ports['metal-1']}"
    assert all(found.values()) is False  # neither a certificate nor a key pair has been made yet
    assert [name for name, value in found.items() if not value] == ["PBS_FINGERPRINT", "SLIPWAY_RESCUE_SSH_KEY"]


def test_a_machine_keeps_its_port() -> None:
    """What was configured against the lab stays valid."""
    before = LabDocument.fresh("slipway.example").with_machines(["game-1"])
    assert before.with_machines(["game-1", "metal-1"]).rescue.ports["game-1"] == before.rescue.ports["game-1"]


def test_a_key_pair_is_made_once(tmp_path: Path) -> None:
    """For this user's eyes only; OpenSSH reads it."""
    path = ssh_key_in(tmp_path / "rescue_key")
    content = path.read_bytes()
    assert ssh_key_in(tmp_path / "rescue_key").read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_suffix(".pub").read_text().startswith("ssh-ed25519 ")
