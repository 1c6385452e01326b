"""Kernels, initrds and images over HTTP, and addresses that nobody of ours asks for."""

import hashlib
import socket
from collections.abc import Callable

import pytest

from pxe.boot.guard import is_sane
from tests.fixtures.boot_service import IMAGE, BootService

DIGEST = hashlib.sha256(IMAGE).hexdigest()
ADDRESS = f"/images/{DIGEST}"


@pytest.fixture(params=[True, False], ids=["by the kernel", "by Python"])
def file_service(request: pytest.FixtureRequest, start_boot_service: Callable[..., BootService]) -> BootService:
    """Return a boot service on each of the servers that it may run on."""
    return start_boot_service(by_kernel=request.param)


def raw(service: BootService, request: bytes) -> bytes:
    """Send bytes as they are, and return the answer's first line."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize("address", ["/boot/kernel", "/boot/initrd", ADDRESS])
def test_a_file_has_its_length_and_its_checksum(file_service: BootService, address: str) -> None:
    """The ETag is the SHA-256; a HEAD says the same and sends nothing."""
    got, head = file_service.http.get(address), file_service.http.head(address)

    assert got.status_code == head.status_code == 200
    assert got.headers["etag"] == f'"{hashlib.sha256(got.content).hexdigest()}"'
    assert got.headers["accept-ranges"] == "bytes"
    for name in ("content-length", "etag"):
        assert head.headers[name] == got.headers[name]
    assert head.content == b""
    assert int(got.headers["content-length"]) == len(got.content)


def test_a_deployer_that_is_replaced_is_served_with_its_own_checksum(boot_service: BootService) -> None:
    """The checksum is of what is there now."""
    first = boot_service.http.get("/boot/kernel").headers["etag"]
    path = boot_service.runtime.settings.pxe_deployer / "kernel"
    path.with_suffix(".new").write_bytes(b"another kernel")
    path.with_suffix(".new").rename(path)

    second = boot_service.http.get("/boot/kernel")

    assert second.headers["etag"] != first
    assert second.headers["etag"] == f'"{hashlib.sha256(b"another kernel").hexdigest()}"'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=1048570-1048590", 1048570, 1048591),
        ("bytes=2097000-", 2097000, len(IMAGE)),
        ("bytes=-10", len(IMAGE) - 10, len(IMAGE)),
        ("bytes=5-99999999999", 5, len(IMAGE)),
        ("bytes=-99999999999", 0, len(IMAGE)),
    ],
)
def test_a_range_is_sent_as_asked(file_service: BootService, asked: str, start: int, end: int) -> None:
    """An image that was cut off goes on where it was (RFC 9110, section 14)."""
    got = file_service.http.get(ADDRESS, headers={"Range": asked})

    assert got.status_code == 206
    assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{len(IMAGE)}"
    assert got.content == IMAGE[start:end]


@pytest.mark.parametrize("asked", [f"bytes={len(IMAGE)}-", "bytes=-0", f"bytes={len(IMAGE)}-{len(IMAGE) + 5}"])
def test_a_range_outside_the_file_is_416(file_service: BootService, asked: str) -> None:
    """With the file's length."""
    got = file_service.http.get(ADDRESS, headers={"Range": asked})

    assert (got.status_code, got.headers["content-range"]) == (416, f"bytes */{len(IMAGE)}")
    assert got.content == b""


@pytest.mark.parametrize(
    "asked", ["bytes=9-3", "bytes=a-b", "bytes=-", "items=0-1", "bytes=0-1,5-6", "bytes 0-1", "bytes=" + "9" * 40 + "-"]
)
def test_what_is_no_single_range_is_answered_with_all(boot_service: BootService, asked: str) -> None:
    """A server may ignore a range that it does not understand, and may not misunderstand it."""
    got = boot_service.http.get(ADDRESS, headers={"Range": asked})

    assert got.status_code == 200
    assert got.content == IMAGE


@pytest.mark.parametrize(
    ("condition", "status"),
    [(f'"{DIGEST}"', 206), (f'W/"{DIGEST}"', 200), ('"other"', 200), ("Tue, 01 Jan 2030 00:00:00 GMT", 200)],
)
def test_a_range_of_another_content_is_answered_with_all(
    boot_service: BootService, condition: str, status: int
) -> None:
    """Two halves of different images would be no image."""
    got = boot_service.http.get(ADDRESS, headers={"Range": "bytes=0-9", "If-Range": condition})

    assert got.status_code == status


def test_images_may_come_from_a_file_server(start_boot_service: Callable[..., BootService]) -> None:
    """Where one is configured, machines are sent there."""
    service = start_boot_service(pxe_image_base_url="http://192.0.2.20/images/")

    got = service.http.get(ADDRESS)

    assert (got.status_code, got.headers["location"]) == (302, f"http://192.0.2.20/images/{DIGEST}")
    assert service.http.get("/images/nonsense").status_code == 404


@pytest.mark.parametrize("by_kernel", [True, False])
def test_more_downloads_than_allowed_are_told_to_come_back(
    start_boot_service: Callable[..., BootService], *, by_kernel: bool
) -> None:
    """And the first one is not disturbed."""
    service = start_boot_service(by_kernel=by_kernel, pxe_downloads=1)
    big = service.runtime.store.image("0" * 64)
    with big.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with service.http.stream("GET", f"/images/{'0' * 64}") as first:
        second = service.http.get(ADDRESS)
        size = sum(len(part) for part in first.iter_raw())

    assert (second.status_code, second.headers["retry-after"]) == (503, "5")
    assert size == 64 * 1024 * 1024
    assert service.http.get(ADDRESS).status_code == 200


@pytest.mark.parametrize("by_kernel", [True, False])
def test_a_machine_that_takes_nothing_is_cut_off(
    start_boot_service: Callable[..., BootService], *, by_kernel: bool
) -> None:
    """Else a few that hang would hold all places."""
    # Long enough for one that does take it, on however busy a computer.
    service = start_boot_service(by_kernel=by_kernel, pxe_downloads=1, pxe_chunk_seconds=2)
    with service.runtime.store.image("0" * 64).open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as stuck:
        stuck.sendall(f"GET /images/{'0' * 64} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stuck.recv(1)
        statuses = {service.http.get(ADDRESS).status_code}
        while 200 not in statuses:
            statuses.add(service.http.get(ADDRESS).status_code)

    assert statuses <= {200, 503}


@pytest.mark.parametrize(
    "path",
    [
        "/images/../deployer/kernel",
        "/boot/../../../../etc/passwd",
        "/boot/%2e%2e/%2e%2e/etc/passwd",
        "/boot/..%2f..%2fetc%2fpasswd",
        "/boot/%252e%252e%252fetc",
        "/boot//etc/passwd",
        "//etc/passwd",
        "/etc/passwd",
        "/boot/kernel%00.txt",
        "/boot/kernel/../initrd",
        "/boot/installers/../../kernel",
        "/boot/installers/debian/secret",
        "/boot/installers/..%2f../kernel",
        f"/images/{DIGEST.upper()}",
        f"/images/{DIGEST}/",
        f"/images/{DIGEST}x",
        f"/images/{'0' * 63}",
        f"/images/{'f' * 64}",
        "/boot/kernel?x=1",
        "/" + "a" * 8000,
        "/boot/" + "../" * 2000,
        "http://192.0.2.1/etc/passwd",
        "file:///etc/passwd",
        "\\..\\boot.ini",
    ],
)
def test_an_odd_address_is_nothing(boot_service: BootService, path: str) -> None:
    """As it comes from the wire, before any client makes it nicer."""
    line = raw(boot_service, b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert line.split()[1] in {b"404", b"400"}, line


def test_an_address_without_end_is_refused(boot_service: BootService) -> None:
    """A MiB of address is not read to its end."""
    assert raw(boot_service, b"GET /" + b"a" * (1 << 20)).split()[1] == b"400"


def test_odd_addresses_are_logged_without_secrets(boot_service: BootService, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody who looks for a way in is seen; a token in an address is not written down."""
    raw(boot_service, b"GET /seed/" + b"s3cr3t" * 8 + b"/../x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert "odd address" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_who_asks_too_often_is_told_to_wait(start_boot_service: Callable[..., BootService]) -> None:
    """One machine that has gone mad does not take the others' share."""
    service = start_boot_service(pxe_requests_per_minute=5)
    answers = [service.http.get("/healthz") for _ in range(7)]

    assert [answer.status_code for answer in answers[-2:]] == [429, 429]
    assert answers[-1].headers["content-type"].startswith("text/plain")


def test_a_connection_goes_on_after_a_file(boot_service: BootService) -> None:
    """The kernel sends past the HTTP library, which has counted right if the next answer can be read."""
    sizes = [len(boot_service.http.get(ADDRESS, headers={"Range": f"bytes={at}-"}).content) for at in range(0, 99, 9)]

    assert sizes == [len(IMAGE) - at for at in range(0, 99, 9)]


def test_a_machine_that_goes_away_in_the_middle_frees_its_place(
    start_boot_service: Callable[..., BootService],
) -> None:
    """Power cuts happen while images are fetched."""
    service = start_boot_service(pxe_downloads=1)
    with service.runtime.store.image("0" * 64).open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with service.http.stream("GET", f"/images/{'0' * 64}") as first:
        next(first.iter_raw(1000))

    while service.http.get(ADDRESS).status_code == 503:
        pass
    assert service.http.get(ADDRESS).content == IMAGE


def test_a_link_in_the_store_leads_nowhere(boot_service: BootService) -> None:
    """The store holds files."""
    boot_service.runtime.store.image("a" * 64).symlink_to("/etc/passwd")

    assert boot_service.http.get(f"/images/{'a' * 64}").status_code == 404


@pytest.mark.parametrize("path", [b"/healthz", b"/ipxe/52-54-00-00-00-01", b"/seed/abc_-9/ks.cfg"])
def test_our_own_addresses_are_sane(path: bytes) -> None:
    """All that machines of ours ask for passes."""
    assert is_sane(path)


def test_health_tells_of_process_and_database(boot_service: BootService) -> None:
    """For whoever watches it."""
    assert boot_service.http.get("/healthz").json() == {"status": "ok"}
    assert boot_service.http.get("/readyz").json() == {"status": "ok"}


def test_errors_are_a_line_of_text(boot_service: BootService) -> None:
    """A machine's console shows them as they are."""
    got = boot_service.http.get("/nothing")

    assert got.status_code == 404
    assert got.headers["content-type"].startswith("text/plain")
    assert got.text.startswith("not_found: ")
    assert got.text.count("\n") == 1
