"""A Debian mirror for machines of a network that leads nowhere: the one that this computer's apt uses, by a proxy.

Which mirror that is, and through which proxy, is asked of apt each time: nothing of it is written down here.
"""

import io
import platform
import re
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from lab.metal.network import ProvisioningNetwork, free_port
from lab.metal.tools import MetalLabError, program, run

_READY_SECONDS = 20.0
_STOP_SECONDS = 10.0
_DIRECT = "DIRECT"
_HTTP_PORT = 80
_SECURITY_PATH = "/debian-security"
_RELEASE_FILE = re.compile(r"^'(\S+?)/+dists/([^/\s]+)/InRelease'", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DebianMirror:
    """Where packages of a release are.

    Attributes:
        url: of the release and its point releases, such as ``http://mirror.example/debian``.
        security_url: of its security updates; None if this computer's apt takes none.
        proxy: ``HOST:PORT`` through which this computer's apt gets at both, with a login before it if it needs one;
            empty if it asks them itself.
    """

    release: str
    url: str
    security_url: str | None
    proxy: str = ""

    @property
    def hosts(self) -> list[str]:
        """The names of the computers that it is on."""
        return sorted({_host(url) for url in (self.url, self.security_url) if url is not None})

    def arguments(self, proxy_url: str) -> str:
        """What debian-installer's kernel is told, so that it takes packages from here, through a proxy."""
        place = urlsplit(self.url)
        told = {
            "mirror/protocol": "http",
            "mirror/http/hostname": place.netloc,
            "mirror/http/directory": place.path or "/",
            "mirror/http/proxy": proxy_url,
            "mirror/suite": self.release,
        }
        # Where security updates are on their host, the installer knows by itself (apt-setup's generator 91security).
        security = urlsplit(self.security_url or "")
        if security.path == _SECURITY_PATH:
            told["apt-setup/security_host"] = security.netloc
        else:
            told["apt-setup/services-select"] = "updates"
        return " ".join(f"{question}={answer}" for question, answer in told.items())


def host_mirror(release: str) -> DebianMirror:
    """Return the mirror that this computer's apt takes its own release from: it has the others, too.

    Raises:
        MetalLabError: it has none, or none that an installer without certificates can ask.
    """
    own = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    # What it would fetch; `apt-get indextargets` knows only of what was fetched already.
    fetched = run(["apt-get", "update", "--print-uris"])
    urls = {suite: url for url, suite in reversed(_RELEASE_FILE.findall(fetched))}
    url, security = urls.get(own), urls.get(f"{own}-security")
    if url is None or urlsplit(url).scheme != "http":
        raise MetalLabError(f"this computer's apt has no mirror of '{own}' that is reached by plain HTTP: {url}")
    if security is not None and urlsplit(security).scheme != "http":
        security = None
    return DebianMirror(release, url, security, _proxy_for(_host(url)))


@contextmanager
def served_archive(host: str, root: Path, mirror: DebianMirror) -> Iterator[str]:
    """Serve an archive in which there is something of a release, and send whoever wants the rest to the mirror.

    Gives its address, which ends in ``/debian`` as a mirror's does.
    """
    handler = partial(_Archive, directory=str(root), elsewhere=mirror.url)
    with ThreadingHTTPServer((host, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="archive", daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}/debian"
        finally:
            server.shutdown()
            thread.join()


class _Archive(SimpleHTTPRequestHandler):
    """``/debian`` is the archive's root."""

    def __init__(self, *arguments: Any, directory: str, elsewhere: str) -> None:
        self._elsewhere = elsewhere
        super().__init__(*arguments, directory=directory)

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Answer with a file, or with where it is."""
        self.path = self.path.removeprefix("/debian")
        if Path(self.translate_path(self.path)).is_file():
            return super().send_head()
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", f"{self._elsewhere}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def log_message(self, *_: object) -> None:
        """Say nothing: the proxy's log has what was fetched."""


@contextmanager
def mirror_proxy(network: ProvisioningNetwork, mirror: DebianMirror, folder: Path) -> Iterator[str]:
    """Let machines of a network get at a mirror and at this computer, and at nothing else; gives the proxy's address.

    Raises:
        MetalLabError: tinyproxy is not installed, or does not start.
    """
    port = free_port(network.host_address)
    (folder / "mirror-hosts").write_text(
        "".join(f"{host}\n" for host in (*mirror.hosts, network.host_address)), encoding="ascii"
    )
    config = folder / "mirror-proxy.conf"
    config.touch(mode=0o600)  # the proxy behind it may want a login
    config.write_text(_config(network, mirror, folder, port), encoding="utf-8")
    with (folder / "mirror-proxy.log").open("ab") as log:
        # Outside the namespace, whose processes are found by it: this one goes when we do, however that happens.
        command = [program("setpriv"), "--pdeathsig", "KILL", program("tinyproxy"), "-d", "-c", str(config)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(process, network.host_address, port)
        yield f"http://{network.host_address}:{port}/"
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)


def _config(network: ProvisioningNetwork, mirror: DebianMirror, folder: Path, port: int) -> str:
    lines = [
        f"Port {port}",
        f"Listen {network.host_address}",
        f"Allow {network.subnet}",
        "Timeout 120",
        "MaxClients 50",
        "LogLevel Connect",
        f'Filter "{folder / "mirror-hosts"}"',
        "FilterType fnmatch",
        "FilterDefaultDeny Yes",
        "ConnectPort 0",  # no tunnels
        "DisableViaHeader Yes",
    ]
    if mirror.proxy:
        lines.append(f"Upstream http {mirror.proxy}")
    return "\n".join(lines) + "\n"


def _wait_for(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise MetalLabError("tinyproxy did not start: see mirror-proxy.log beside its configuration")


def _proxy_for(host: str) -> str:
    """As apt chooses (apt-transport-http(1)): one for the host, else the one for all."""
    said = run(["apt-config", "shell", "OWN", f"Acquire::http::Proxy::{host}", "ALL", "Acquire::http::Proxy"])
    found = dict(word.split("=", 1) for word in shlex.split(said))
    chosen = found.get("OWN") or found.get("ALL") or _DIRECT
    if chosen == _DIRECT:
        return ""
    place = urlsplit(chosen)
    return place.netloc if place.port else f"{place.netloc}:{_HTTP_PORT}"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
