"""The real prometheus-pve-exporter, with tokens that are in no generated file, on a node of the lab."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from components.platform.observability.bundle import bundle
from components.platform.observability.delivery import write_files
from components.platform.observability.layout import Layout
from components.platform.observability.pve_exporter import COLLECTORS, CREDENTIAL_PREFIX
from tests.fixtures.observability import lab_spec
from tests.fixtures.platform_tools import free_ports, run, serving, tool

if TYPE_CHECKING:
    from lab.client import RunningLab

TOKEN = "11111111-2222-3333-4444-555555555555"


def modules(delivered: Path, credentials: dict[str, str], folder: Path, *, ok: bool = True) -> tuple[Path, str]:
    """Run the script on files as systemd hands them to the exporter's unit."""
    (folder / "credentials").mkdir()
    for name, text in credentials.items():
        (folder / "credentials" / name).write_text(text)
    output = folder / "pve.yml"
    said = run("sh", delivered / "pve-modules", folder / "credentials", output, ok=ok)
    return output, said


def test_each_node_becomes_a_module_that_only_its_owner_reads(delivered: Path, tmp_path: Path) -> None:
    """The token is in that one file, and in no delivered one."""
    tokens = {f"{CREDENTIAL_PREFIX}game-1": f"{TOKEN}\n", f"{CREDENTIAL_PREFIX}bot-1": TOKEN}
    output, _ = modules(delivered, tokens, tmp_path)

    assert output.read_text().splitlines() == [
        f'{name}: {{user: "slipway-metrics@pve", token_name: "metrics", token_value: "{TOKEN}", verify_ssl: true}}'
        for name in ("bot-1", "game-1")
    ]
    assert output.stat().st_mode & 0o777 == 0o600
    assert all(TOKEN not in file.read_text() for file in delivered.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, "no token of any node"),
        ({f"{CREDENTIAL_PREFIX}game-1": ""}, "is no value of a Proxmox VE token"),
        ({f"{CREDENTIAL_PREFIX}game-1": 'x", password: "y'}, "is no value of a Proxmox VE token"),
        ({f"{CREDENTIAL_PREFIX}game 1": TOKEN}, "is no node's name"),
    ],
)
def test_what_is_no_token_is_refused_by_name(
    delivered: Path, tmp_path: Path, credentials: dict[str, str], message: str
) -> None:
    """The unit then fails to start and its log says why."""
    assert message in modules(delivered, credentials, tmp_path, ok=False)[1]


def test_the_exporter_tells_of_a_nodes_storages(tmp_path: Path, layout: Layout, lab: "RunningLab") -> None:
    """With the metrics and the ids that rules and dashboards ask for; a token that is wrong is an error of its own."""
    node = lab.document.proxmox.nodes[0]
    user, _, token = node.api_token.partition("!")
    token_name, _, value = token.partition("=")
    spec = lab_spec(pve_user=user, pve_token_name=token_name, verify_pve_tls=False)
    write_files(bundle(spec, layout), tmp_path / "delivered")
    tokens = {f"{CREDENTIAL_PREFIX}{node.name}": value, f"{CREDENTIAL_PREFIX}other": TOKEN}
    output, _ = modules(tmp_path / "delivered", tokens, tmp_path)
    (port,) = free_ports(1)
    command = (
        tool("pve_exporter"),
        "--config.file",
        str(output),
        "--web.listen-address",
        f"127.0.0.1:{port}",
        *COLLECTORS,
    )
    with serving(f"http://127.0.0.1:{port}/", tmp_path / "log", *command):
        query = {"target": urlsplit(node.endpoint).netloc, "cluster": "1", "node": "1"}
        told = httpx.get(f"http://127.0.0.1:{port}/pve", params={**query, "module": node.name}, timeout=30)
        refused = httpx.get(f"http://127.0.0.1:{port}/pve", params={**query, "module": "other"}, timeout=30)
    assert f'pve_up{{id="node/{node.name}"}} 1.0' in told.text
    assert f'pve_disk_size_bytes{{id="storage/{node.name}/' in told.text
    assert refused.is_server_error
