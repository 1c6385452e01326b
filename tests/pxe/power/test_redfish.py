"""What is Redfish's own."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from pxe.power.errors import BmcRefused, BmcUnreachable, BmcUntrusted, NotOffered
from pxe.power.redfish import redfish_driver
from tests.fakes.bmc_child import BmcChild
from tests.fakes.certificates import self_signed
from tests.fixtures.bmc_rigs import BRISK, PASSWORD, USER, Rig

pytestmark = pytest.mark.servers


def test_a_session_is_closed_after_each_call(redfish: Rig, redfish_child: BmcChild) -> None:
    """A BMC has few of them."""
    redfish_child.tell("set", sessions={})
    redfish.driver.power.on()
    redfish.driver.validate()
    seen = redfish_child.tell("look")
    assert (seen["sessions"], seen["logins"], seen["refused"]) == ({}, 2, 0)


def test_a_session_that_is_refused_is_not_tried_another_way(redfish: Rig, redfish_child: BmcChild) -> None:
    """Basic authentication after it would be a second try."""
    redfish_child.tell("set", sessions={})
    driver = redfish.make(USER, SecretStr("another password"))
    for call in (driver.validate, driver.power.on):
        with pytest.raises(BmcRefused):
            call()
    assert redfish_child.tell("look")["logins"] == 1


def test_a_session_is_closed_when_the_call_fails(redfish: Rig, redfish_child: BmcChild) -> None:
    """Power that does not follow."""
    redfish_child.tell("set", sessions={}, disobeys=True)
    with pytest.raises(Exception, match="is not on"):
        redfish.driver.power.on()
    assert redfish_child.tell("look")["sessions"] == {}


def test_accounts_that_are_slots_are_emptied(redfish: Rig, redfish_child: BmcChild) -> None:
    """Some BMCs have a number of them that cannot be deleted."""
    redfish_child.tell("set", has_slots=True)
    assert redfish.driver.accounts is not None
    made = redfish.driver.accounts.reset()
    assert redfish.users() == {USER: made.get_secret_value()}


def test_a_password_that_the_bmc_does_not_take_is_in_no_message(
    redfish: Rig, redfish_child: BmcChild, caplog: pytest.LogCaptureFixture
) -> None:
    """BMCs quote what they refuse. The old one is in force, and the login is not held to be refused."""
    assert redfish.driver.accounts is not None
    redfish.driver.accounts.reset(SecretStr("One0Password0Of0"))
    redfish_child.tell("set", forbids=True)
    with pytest.raises(NotOffered) as caught:
        redfish.driver.accounts.reset(SecretStr("Secret0Of0Ours00"))
    assert "Secret0Of0Ours00" not in str(caught.value) + caplog.text
    redfish.driver.validate()


def test_reset_is_pressed_once_though_the_answer_was_lost(redfish: Rig, redfish_child: BmcChild) -> None:
    """Whether it was pressed is for the caller to find out."""
    redfish.driver.power.on()
    redfish_child.tell("set", loses=True)
    with pytest.raises(BmcUnreachable, match="did not answer in time"):
        redfish.driver.power.reset()
    assert redfish_child.tell("look")["orders"] == ["On", "ForceRestart"]


class _Strange(BaseHTTPRequestHandler):
    """Speaks HTTP, and something else than Redfish in it."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Say nothing."""


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server with a certificate of nobody's, and that certificate."""
    pem = tmp_path / "certificate.pem"
    pem.write_text("".join(self_signed("localhost")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with HTTPServer(("127.0.0.1", 0), _Strange) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"https://localhost:{server.server_port}", pem
        server.shutdown()
        thread.join()


def test_a_certificate_that_is_not_trusted_is_named(strange: tuple[str, Path]) -> None:
    """The login is not sent; with the authority's file, or unchecked, the BMC is reached."""
    address, authority = strange
    word = SecretStr(PASSWORD)
    with pytest.raises(BmcUntrusted, match="SLIPWAY_BMC_VERIFY_TLS") as caught:
        redfish_driver(address, USER, word, timing=BRISK).validate()
    assert (caught.value.field, caught.value.is_retryable) == ("certificate", False)
    for verify in (authority, False):
        with pytest.raises(BmcUnreachable, match="does not speak Redfish; check SLIPWAY_BMC_ADDRESS"):
            redfish_driver(address, USER, word, verify=verify, timing=BRISK).validate()
