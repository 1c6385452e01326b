"""What the environment says of a BMC."""

from pathlib import Path

import pytest

from pxe.power.connection import driver_for
from pxe.power.errors import BadBmcSettings
from pxe.power.settings import bmc_settings, host_and_port, new_password

GOOD = {"DRIVER": "redfish", "ADDRESS": "https://bmc.example", "USER": "ours", "PASSWORD": "made up"}


def _set(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in {**GOOD, **values}.items():
        monkeypatch.setenv(f"SLIPWAY_BMC_{name}", value)


@pytest.mark.parametrize(
    ("driver", "address", "system"),
    [
        ("redfish", "https://bmc.example", ""),
        ("ipmi", "192.0.2.1", ""),
        ("robot", "https://robot.example", "321"),
        ("fake", "http://127.0.0.1:1", "m-1"),
    ],
)
def test_a_process_has_one_driver_for_a_bmc(
    monkeypatch: pytest.MonkeyPatch, driver: str, address: str, system: str
) -> None:
    """A refused login has to be known to all of it; nothing is sent, and no secret shows."""
    _set(monkeypatch, DRIVER=driver, ADDRESS=address, SYSTEM=system)
    made = driver_for(bmc_settings())
    assert driver_for(bmc_settings()) is made
    assert made.name == driver
    assert "made up" not in repr(bmc_settings())
    _set(monkeypatch, DRIVER=driver, ADDRESS=address, SYSTEM=system, USER="another")
    assert driver_for(bmc_settings()) is not made


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"DRIVER": "telnet"}, "SLIPWAY_BMC_DRIVER: Input should be 'redfish', 'ipmi', 'robot' or 'fake'"),
        ({"ADDRESS": ""}, "SLIPWAY_BMC_ADDRESS"),
        ({"ADDRESS": "bmc.example"}, "SLIPWAY_BMC_ADDRESS: 'bmc.example' is not an http or https address"),
        ({"DRIVER": "ipmi", "ADDRESS": "https://x/"}, "SLIPWAY_BMC_ADDRESS: 'https://x/' is not host, host:port"),
        ({"DRIVER": "robot", "SYSTEM": "game-1"}, "SLIPWAY_BMC_SYSTEM: give the server's number"),
        ({"USER": ""}, "SLIPWAY_BMC_USER"),
        ({"PASSWORD": ""}, "SLIPWAY_BMC_PASSWORD"),
        ({"VERIFY_TLS": "/no/such/file"}, "SLIPWAY_BMC_VERIFY_TLS: there is no file /no/such/file"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], told: str) -> None:
    """By the variable to set, and without the password."""
    _set(monkeypatch, **wrong)
    with pytest.raises(BadBmcSettings) as caught:
        bmc_settings()
    assert told in str(caught.value)
    assert "made up" not in str(caught.value)


def test_everything_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one after the other."""
    for name in GOOD:
        monkeypatch.delenv(f"SLIPWAY_BMC_{name}", raising=False)
    with pytest.raises(BadBmcSettings) as caught:
        bmc_settings()
    assert all(f"SLIPWAY_BMC_{name}: Field required" in str(caught.value) for name in GOOD)


@pytest.mark.parametrize(("text", "meant"), [("false", False), ("true", True), ("0", False), ("FILE", Path)])
def test_certificates_are_checked_or_not_or_against_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, meant: object
) -> None:
    """Checked, if nothing is said."""
    authority = tmp_path / "authority.pem"
    authority.touch()
    _set(monkeypatch, VERIFY_TLS=str(authority) if text == "FILE" else text)
    assert bmc_settings().verify_tls == (authority if meant is Path else meant)
    monkeypatch.delenv("SLIPWAY_BMC_VERIFY_TLS")
    assert bmc_settings().verify_tls is True


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("bmc.example", ("bmc.example", 623)),
        ("192.0.2.1:1623", ("192.0.2.1", 1623)),
        ("[2001:db8::1]:624", ("2001:db8::1", 624)),
        ("[2001:db8::1]", ("2001:db8::1", 623)),
    ],
)
def test_an_address_of_ipmi_is_taken_apart(address: str, parts: tuple[str, int]) -> None:
    """With or without a port."""
    assert host_and_port(address) == parts


def test_a_new_password_is_one_that_every_bmc_takes() -> None:
    """Sixteen characters, for IPMI; one of each kind; never the same."""
    made = {new_password().get_secret_value() for _ in range(200)}
    assert len(made) == 200
    for word in made:
        assert len(word) == 16
        assert word.isalnum()
        assert any(map(str.islower, word))
        assert any(map(str.isupper, word))
        assert any(map(str.isdigit, word))
