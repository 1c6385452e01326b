"""Machines of a network that leads nowhere get at this computer's mirror of Debian, and at nothing else."""

import platform
from pathlib import Path

import httpx
import pytest

from lab.metal.mirror import DebianMirror, host_mirror, mirror_proxy, served_archive
from lab.metal.tools import MetalLabError
from tests.fixtures.metal import MetalFactory

MIRROR = DebianMirror("trixie", "http://mirror.test:8080/debian", "http://mirror.test:8080/debian-security")


def test_an_installer_is_told_where_packages_are() -> None:
    """By the questions that debian-installer has for it."""
    told = dict(word.split("=", 1) for word in MIRROR.arguments("http://10.0.0.1:3128/").split())

    assert told == {
        "mirror/protocol": "http",
        "mirror/http/hostname": "mirror.test:8080",
        "mirror/http/directory": "/debian",
        "mirror/http/proxy": "http://10.0.0.1:3128/",
        "mirror/suite": "trixie",
        "apt-setup/security_host": "mirror.test:8080",
    }


def test_an_installer_without_security_updates_does_not_ask_for_them() -> None:
    """It would stop at a mirror that has none; and it finds them in one folder only."""
    for security in (None, "http://mirror.test/elsewhere"):
        mirror = DebianMirror("trixie", "http://mirror.test/debian", security)

        assert "apt-setup/services-select=updates" in mirror.arguments("http://10.0.0.1:3128/")


def apt_says(monkeypatch: pytest.MonkeyPatch, folder: Path, sources: str, settings: str = "") -> None:
    """Have this process's apt be set up in another way, by the variable that apt has for it."""
    (folder / "empty").mkdir()
    (folder / "sources.list").write_text(sources, encoding="utf-8")
    config = folder / "apt.conf"
    config.write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list"; Dir::Etc::sourceparts "{folder}/empty";\n{settings}',
        encoding="utf-8",
    )
    monkeypatch.setenv("APT_CONFIG", str(config))


def own_release() -> str:
    """Return the release that this computer runs."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


@pytest.mark.usefixtures("metal_tools")
def test_the_mirror_is_the_one_of_this_computers_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With its security updates, and the proxy that apt itself goes through."""
    own = own_release()
    sources = f"deb http://m.test/debian {own} main\ndeb http://s.test/sec {own}-security main\n"
    apt_says(monkeypatch, tmp_path, sources, 'Acquire::http::Proxy "http://p.test:3128/";\n')

    mirror = host_mirror("trixie")

    assert mirror == DebianMirror("trixie", "http://m.test/debian", "http://s.test/sec", "p.test:3128")
    assert mirror.hosts == ["m.test", "s.test"]


@pytest.mark.usefixtures("metal_tools")
def test_a_host_may_have_a_proxy_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Or none, where all others have one."""
    sources = f"deb http://m.test/debian {own_release()} main\n"
    settings = 'Acquire::http::Proxy "http://p.test:3128/"; Acquire::http::Proxy::m.test "DIRECT";\n'
    apt_says(monkeypatch, tmp_path, sources, settings)

    assert host_mirror("trixie").proxy == ""


@pytest.mark.usefixtures("metal_tools")
def test_a_mirror_that_wants_certificates_is_none_for_an_installer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message says so."""
    apt_says(monkeypatch, tmp_path, f"deb https://m.test/debian {own_release()} main\n")

    with pytest.raises(MetalLabError, match="plain HTTP"):
        host_mirror("trixie")


def test_the_proxy_leads_to_the_mirror_and_nowhere_else(metal_machines: MetalFactory, tmp_path: Path) -> None:
    """Whoever asks for anything else is refused."""
    network = metal_machines().network
    (tmp_path / "Release").write_text("of the lab", encoding="ascii")
    with (
        served_archive(network.host_address, tmp_path, MIRROR) as archive,
        mirror_proxy(network, MIRROR, tmp_path) as proxy,
        httpx.Client(proxy=proxy, timeout=10) as client,
    ):
        assert client.get(f"{archive}/Release").text == "of the lab"
        assert client.get("http://elsewhere.test/").status_code == 403


def test_what_the_labs_archive_lacks_is_at_the_mirror(metal_machines: MetalFactory, tmp_path: Path) -> None:
    """Paths that lead out of it are, too, and there is nothing to be had there."""
    network = metal_machines().network
    root = tmp_path / "archive"
    root.mkdir()
    (tmp_path / "secret").write_text("not for machines", encoding="ascii")
    with served_archive(network.host_address, root, MIRROR) as archive, httpx.Client(timeout=10) as client:
        for path in ("pool/main/h/hello.deb", "%2e%2e/secret", "..%2fsecret"):
            answer = client.get(f"{archive}/{path}")
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("http://mirror.test:8080/debian/")
