"""The forms by which machines are told of: what is wrong is said beside its field, and what was typed stays."""

import re

import httpx
import pytest

from api.auth.models import Role
from api.machines.models import Machine
from components.specs.machine import MachineState
from tests.fixtures.iron_house import IronHouse
from tests.fixtures.pages import Browser, OpenBrowser
from tests.fixtures.shop import Shop

NEW = "/admin/machines/new"
FORM = {
    "name": "rack9-01",
    "site": "fsn",
    "machine_class": "ax41",
    "serial": "SN-9001",
    "boot_mac": "52:54:00:99:00:01",
    "macs": "52:54:00:99:00:02, 52:54:00:99:00:03",
    "cores": "8",
    "memory_mib": "65536",
    "disk_count": "2",
    "disk_gib": "447",
    "boot_address": "",
    "rack": "rack9",
    "switch_port": "sw-9 ge-0/0/1",
    "vlan": "4001",
    "server_number": "",
    "bmc_driver": "redfish",
    "bmc_address": "https://bmc-9.mgmt.example",
    "bmc_system": "",
    "bmc_user": "slipway",
    "bmc_password": "a-bmc-password",
    "bmc_verify_tls": "true",
}


def _send(browser: Browser, page: str, **changes: str) -> httpx.Response:
    return browser.submit(page, page, **(FORM | changes))


def _wrong(html: str) -> dict[str, str]:
    return dict(re.findall(r'<span class="wrong" id="wrong-(\w+)">(.*?)</span>', html))


def _machines(shop: Shop) -> dict[str, Machine]:
    return {machine.name: machine for machine in shop.all(Machine)}


def test_a_machine_is_enrolled(browse: OpenBrowser, api_shop: Shop) -> None:
    """It waits to be inspected; its password is sealed, and empty fields are nothing."""
    answer = _send(browse(Role.OPERATOR), NEW)
    machine = _machines(api_shop)["rack9-01"]

    assert answer.headers["Location"] == f"/admin/machines/{machine.id}"
    assert machine.state is MachineState.ENROLL
    assert machine.macs == ["52:54:00:99:00:01", "52:54:00:99:00:02", "52:54:00:99:00:03"]
    assert (machine.vlan, machine.server_number, machine.boot_address) == (4001, None, None)
    assert api_shop.vault.open(machine.bmc_password_encrypted or b"") == "a-bmc-password"
    assert machine.bmc_verify_tls


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Rack 9"}, "name"),
        ({"serial": ""}, "serial"),
        ({"cores": "many"}, "cores"),
        ({"cores": ""}, "cores"),
        ({"boot_mac": "52:54:00"}, "boot_mac"),
        ({"macs": "nonsense"}, "macs"),
        ({"site": "mars"}, "site"),
        ({"vlan": "5000"}, "vlan"),
        ({"boot_address": "300.1.1.1"}, "boot_address"),
        ({"bmc_user": ""}, "bmc_user"),
        ({"rack": "<script>"}, "rack"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    browse: OpenBrowser, api_shop: Shop, changes: dict[str, str], field: str
) -> None:
    """Everything else that was typed is still there, but for the password."""
    answer = _send(browse(Role.OPERATOR), NEW, **changes)

    assert answer.status_code == 422
    assert list(_wrong(answer.text)) == [field]
    assert 'value="https://bmc-9.mgmt.example"' in answer.text
    assert "a-bmc-password" not in answer.text
    assert "<script>" not in answer.text
    assert _machines(api_shop) == {}


def test_all_that_is_wrong_is_said_at_once(browse: OpenBrowser) -> None:
    """Nobody has to send a form once for each mistake."""
    answer = browse(Role.OPERATOR).submit(NEW, NEW, **dict.fromkeys(FORM, ""))

    assert {"name", "machine_class", "serial", "boot_mac", "cores", "bmc_address"} <= set(_wrong(answer.text))


def test_what_only_fits_together_is_said_above(browse: OpenBrowser) -> None:
    """A BMC's address that is none for its driver is wrong with neither field alone."""
    answer = _send(browse(Role.OPERATOR), NEW, bmc_address="not an address")

    assert answer.status_code == 422
    assert "bmc_address" in _wrong(answer.text) or "&#39;bmc_address&#39;" in answer.text


@pytest.mark.usefixtures("api_shop")
def test_what_another_machine_is_known_by_is_a_conflict(browse: OpenBrowser) -> None:
    """Said beside the field, naming what is taken."""
    browser = browse(Role.OPERATOR)
    _send(browser, NEW)
    answer = _send(browser, NEW, name="rack9-02", boot_mac="52:54:00:99:01:01", macs="")

    assert answer.status_code == 409, _wrong(answer.text)
    assert "serial number" in _wrong(answer.text)["serial"]


def test_a_machine_is_changed(browse: OpenBrowser, iron: IronHouse) -> None:
    """The form holds what is recorded; what is emptied is forgotten; its password has a form of its own."""
    browser = browse(Role.OPERATOR)
    page = f"/admin/machines/{iron.quarantined}/edit"
    before = _machines(iron.shop)["rack2-03"]
    fields = {"machine_class": "ax41", "site": "fsn", "bmc_driver": "redfish", "macs": ""}
    answer = browser.submit(page, page, **fields, rack="rack7", vlan="", serial="SN-4712")
    machine = _machines(iron.shop)["rack2-03"]

    assert answer.status_code == 303, answer.text
    assert (machine.rack, machine.vlan, machine.serial) == ("rack7", None, "SN-4712")
    assert (machine.cores, machine.boot_mac) == (before.cores, before.boot_mac)
    assert machine.bmc_password_encrypted == before.bmc_password_encrypted


def test_what_is_in_use_keeps_its_hardware(browse: OpenBrowser, iron: IronHouse) -> None:
    """Where it is plugged in may change; what an inspection looks at may not, whatever the page's fields say."""
    browser = browse(Role.OPERATOR)
    page = f"/admin/machines/{iron.active}/edit"
    fields = {"bmc_driver": "fake", "macs": ""}
    moved = browser.submit(page, page, **fields, switch_port="sw-2 ge-0/0/9")
    forged = browser.submit(page, page, **fields, serial="SN-1111")

    assert moved.status_code == 303, moved.text
    assert forged.status_code == 409
    assert "quarantine it first" in _wrong(forged.text)["serial"]
    assert _machines(iron.shop)["rack1-07"].switch_port == "sw-2 ge-0/0/9"
