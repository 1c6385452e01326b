"""``lab.json``."""

import json
import stat
from pathlib import Path

import pytest

from lab.document import LabDocument, port_of, write_private
from lab.estate import parse_nodes


def test_a_document_survives_writing_and_reading(tmp_path: Path) -> None:
    """What is saved is what is loaded."""
    document = LabDocument.fresh("slipway.example").with_nodes(parse_nodes("game=1"))
    document.save(tmp_path / "lab.json")
    assert LabDocument.load(tmp_path / "lab.json") == document


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds credentials, so nobody else may read it; and no temporary file stays behind."""
    write_private(tmp_path / "lab.json", {"a": 1})
    assert stat.S_IMODE((tmp_path / "lab.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["lab.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A document that cannot be written does not harm the one that is there."""
    path = tmp_path / "lab.json"
    write_private(path, {"a": 1})
    with pytest.raises(TypeError):
        write_private(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["lab.json"]


def test_a_broken_document_is_refused_by_file_and_field(tmp_path: Path) -> None:
    """The error names the file, the field and the way out."""
    path = tmp_path / "lab.json"
    path.write_text('{"control_token": "x"}')
    with pytest.raises(ValueError, match=r"lab\.json: proxmox: .*remove the file"):
        LabDocument.load(path)


def test_two_fresh_documents_share_no_credential() -> None:
    """There is no default secret."""
    one, two = (LabDocument.fresh("slipway.example").with_nodes(parse_nodes("game=1")) for _ in range(2))
    assert one.control_token != two.control_token
    assert one.cloudflare.api_token != two.cloudflare.api_token
    assert one.stripe.secret_key != two.stripe.secret_key
    assert one.stripe.webhook_secret != two.stripe.webhook_secret
    assert one.proxmox.nodes[0].api_token != two.proxmox.nodes[0].api_token


def test_known_nodes_keep_their_credentials_and_new_ones_get_theirs() -> None:
    """Adding a node does not change the others."""
    before = LabDocument.fresh("slipway.example").with_nodes(parse_nodes("game=1,bot=1"))
    after = before.with_nodes(parse_nodes("game=2"))
    assert [node.name for node in after.proxmox.nodes] == ["game-1", "game-2"]
    assert after.proxmox.nodes[0] == before.proxmox.nodes[0]


def test_the_port_of_an_address() -> None:
    """An address keeps the port that it has."""
    assert port_of("http://127.0.0.1:81/x") == 81


def test_a_new_port_is_out_of_the_way_of_outgoing_connections() -> None:
    """The kernel takes theirs from a higher range, and a remembered port must be free at the next start."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert 1024 < port_of("https://127.0.0.1:0") < lowest
