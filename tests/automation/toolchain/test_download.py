"""The official downloads."""

import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from automation.toolchain import Toolchain
from automation.toolchain.download import CLI_HOST, PLUGIN_HOST, OfficialDownloads, reachable
from automation.toolchain.layout import Layout
from automation.toolchain.parts import HCLOUD, PARTS, PROXMOXVE
from tests.fakes.toolchain import RecordingProgress, write_executable


class PluginServer(BaseHTTPRequestHandler):
    """Has hcloud's plugin as a publisher's server has it, and nothing else."""

    def do_HEAD(self) -> None:
        """Be there."""
        self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        """Give the archive."""
        found = f"/pulumi-resource-hcloud-v{HCLOUD.version}-" in self.path
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            entry = tarfile.TarInfo(HCLOUD.name)
            content = b"#!/bin/sh\n"
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        body = archive.getvalue() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class' name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Such a server's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), PluginServer) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_an_address_that_answers_anything_is_reachable(server: str) -> None:
    """Even with an error: the download will tell."""
    assert reachable(server)


def test_an_address_that_refuses_is_not_reachable() -> None:
    """Known at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not reachable(f"http://127.0.0.1:{port}")


def test_an_address_that_never_answers_is_not_waited_for() -> None:
    """It accepts the connection and stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not reachable(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0.2)


def test_without_a_network_nothing_is_tried(layout: Layout, tmp_path: Path) -> None:
    """Both publishers are asked once, and nothing is started."""
    asked: list[str] = []

    def unreachable(url: str) -> bool:
        asked.append(url)
        return False

    cli = write_executable(tmp_path / "pulumi", f"touch {tmp_path}/started")
    downloads = OfficialDownloads(layout.downloaded, layout.home, is_reachable=unreachable)
    assert downloads.obtain(PARTS, None, RecordingProgress()) == {}
    assert asked == [CLI_HOST]
    assert downloads.obtain([HCLOUD], cli, RecordingProgress()) == {}
    assert asked == [CLI_HOST, PLUGIN_HOST]
    assert not (tmp_path / "started").exists()


def test_a_plugin_is_downloaded_where_the_engine_looks_for_it(layout: Layout, tmp_path: Path) -> None:
    """The CLI is asked for the exact version, from its publisher's place."""
    place = layout.home / "plugins" / PROXMOXVE.plugin_folder / PROXMOXVE.name
    cli = write_executable(
        tmp_path / "pulumi",
        f'echo "$* into $PULUMI_HOME" > {tmp_path}/said\nmkdir -p {place.parent}\ncp "$0" {place}',
    )
    downloads = OfficialDownloads(layout.downloaded, layout.home, is_reachable=lambda _: True)
    assert downloads.obtain([PROXMOXVE], cli, RecordingProgress()) == {PROXMOXVE.name: place}
    said = (tmp_path / "said").read_text("utf-8").strip()
    assert said == (
        "--non-interactive plugin install resource proxmoxve 8.6.0 "
        f"--server github://api.github.com/muhlba91/pulumi-proxmoxve into {layout.home}"
    )


def test_a_download_that_fails_is_left_to_the_next_source(layout: Layout, tmp_path: Path) -> None:
    """It is no error yet."""
    cli = write_executable(tmp_path / "pulumi", "echo no such plugin >&2; exit 1")
    downloads = OfficialDownloads(layout.downloaded, layout.home, is_reachable=lambda _: True)
    assert downloads.obtain([HCLOUD], cli, RecordingProgress()) == {}


@pytest.mark.engine
def test_the_real_cli_installs_a_plugin_from_a_server(engine_toolchain: Toolchain, layout: Layout, server: str) -> None:
    """Of two plugins the one that the server has."""
    downloads = OfficialDownloads(layout.downloaded, layout.home, server=server)
    found = downloads.obtain([HCLOUD, PROXMOXVE], engine_toolchain.pulumi, RecordingProgress())
    assert found == {HCLOUD.name: layout.home / "plugins" / HCLOUD.plugin_folder / HCLOUD.name}
