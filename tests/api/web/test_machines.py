"""Staff's pages of machines: what they say, and what they keep to themselves."""

import httpx
import pytest
from sqlalchemy import update

from api.auth.models import Role
from api.machines.models import (
    ConsoleChunk,
    Deployment,
    DeploymentEvent,
    DeploymentStatus,
    Machine,
    WipeReport,
)
from tests.fixtures.api import Api
from tests.fixtures.iron_house import IronHouse
from tests.fixtures.machines import BMC_PASSWORD
from tests.fixtures.pages import OpenBrowser
from tests.fixtures.statements import statements

MOST_STATEMENTS = 7


def test_every_page_takes_few_statements(api: Api, browse: OpenBrowser, iron: IronHouse) -> None:
    """However many machines and deployments there are."""
    browser = browse(Role.ADMIN)
    counted = {}
    for path in iron.pages.values():
        with statements(api.runtime.database) as seen:
            browser.read(path)
        counted[path] = len(seen)

    assert {path: number for path, number in counted.items() if number > MOST_STATEMENTS} == {}


@pytest.mark.usefixtures("iron")
def test_the_pool_is_a_picture_with_words(browse: OpenBrowser) -> None:
    """Each machine is a square that says its name and state; the groups are counted."""
    html = browse(Role.SUPPORT).read("/admin/machines")

    assert "rack2-03: in quarantine" in html
    assert "<b>1</b> in trouble" in html
    assert "6 of 7 free" in html


@pytest.mark.usefixtures("iron")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=in+trouble", {"rack2-03"}),
        ("state=in+use", {"rack1-07", "rack1-08", "rack2-01"}),
        ("state=rescue", {"rack2-01"}),
        ("state=no-such", set()),
        ("class=metal-large&state=inspect", {"rack3-02"}),
        ("q=hermes", {"rack1-08"}),
        ("q=ge-0/0/7", {"rack1-07"}),
        ("q=%25", set()),
    ],
)
def test_the_list_is_filtered(browse: OpenBrowser, query: str, found: set[str]) -> None:
    """By state, by what states mean together, by class, and by what people know of a machine."""
    html = browse(Role.SUPPORT).read(f"/admin/machines?{query}")
    rows = html.partition('id="rows"')[2]

    assert {part.partition("</b>")[0] for part in rows.split("<b>")[1:]} == found


def test_a_machine_shows_what_differs_and_no_secret(browse: OpenBrowser, iron: IronHouse) -> None:
    """The hardware that was found beside the recorded; of the BMC all but its password; of the console no token."""
    browser = browse(Role.ADMIN)
    bad, busy = browser.read(f"/admin/machines/{iron.quarantined}"), browser.read(f"/admin/machines/{iron.installing}")

    assert "SN-4712" in bad
    assert bad.count("differs</span>") == 3
    assert "deposited, sealed" in busy
    assert BMC_PASSWORD not in busy
    assert "sealed</code>" not in busy
    assert "slipway.token=[secret]" in busy
    assert "tok-very-secret" not in busy
    assert "missing: nothing can switch it" in browser.read(f"/admin/machines/{iron.new}")


def test_a_wipe_is_shown_with_its_proof(browse: OpenBrowser, iron: IronHouse) -> None:
    """Each disk, how, and what was read back; and whether anything may have been written since."""
    browser = browse(Role.SUPPORT)
    free, used = browser.read(f"/admin/machines/{iron.free}"), browser.read(f"/admin/machines/{iron.active}")

    assert "empty since" in free
    assert "written to since" in used
    assert "64 samples read back, 0 not empty" in used
    assert "signed, sealed" in used


def test_a_wipe_report_that_was_changed_since_is_told_apart(browse: OpenBrowser, iron: IronHouse) -> None:
    """Whoever can write to the database has not our key."""
    iron.shop.change(lambda session: session.execute(update(WipeReport).values(body=b'{"forged": true}')))

    assert "does not fit its seal" in browse(Role.SUPPORT).read(f"/admin/machines/{iron.free}")


def test_a_deployment_of_another_machine_is_not_there(browse: OpenBrowser, iron: IronHouse) -> None:
    """Nor is its console."""
    browser = browse(Role.ADMIN)
    wrong = f"/admin/machines/{iron.active}/deployments/{iron.open_deployment}"

    assert [browser.get(path).status_code for path in (wrong, f"{wrong}/console")] == [404, 404]


def test_the_console_streams_whole_lines_and_ends(browse: OpenBrowser, iron: IronHouse) -> None:
    """What has no end yet is kept back until the deployment has ended; a stream that was cut off goes on there."""
    browser = browse(Role.SUPPORT)
    iron.print("half a li")
    iron.print("ne\nthe rest")
    path = f"/admin/machines/{iron.installing}/deployments/{iron.open_deployment}/console"
    iron.end(DeploymentStatus.SUCCEEDED)
    events = _events(browser.http, path)
    ids = [event["id"] for event in events]
    again = _events(browser.http, path, **{"Last-Event-ID": ids[-3]})

    assert '"message":"half a line"' in events[-3]["data"]
    assert '"message":"the rest"' in events[-2]["data"]
    assert events[-1]["event"] == "end"
    assert [event["event"] for event in again] == ["line", "end"]
    assert '"message":"the rest"' in again[0]["data"]


def _events(http: httpx.Client, path: str, **headers: str) -> list[dict[str, str]]:
    blocks = http.get(path, headers=headers).text.replace("\r\n", "\n").strip().split("\n\n")
    parsed = [dict(line.split(": ", 1) for line in block.split("\n") if ": " in line) for block in blocks]
    return [event for event in parsed if "event" in event]


def test_what_machines_and_others_write_is_text(browse: OpenBrowser, iron: IronHouse) -> None:
    """A serial number, a reason, a line of the console, a model's name: none becomes markup on any page."""
    evil = "<img src=x onerror=alert(1)>"
    disk = {"name": evil, "size_bytes": 1, "serial": evil, "model": evil, "rotational": False}
    document = {"serial": evil, "product": evil, "cores": 1, "memory_mib": 1, "nics": [], "disks": [disk]}
    poison = (
        update(Machine).values(state_reason=evil, rack=evil, facts=document | {"firmware": evil}, bmc_user=evil),
        update(Deployment).values(error_detail=evil, error_code=evil),
        update(DeploymentEvent).values(message=evil),
        update(ConsoleChunk).values(text=f"{evil}\n"),
        update(WipeReport).values(disks=[{"name": evil, "method": evil, "samples": evil, "nonzero_samples": evil}]),
    )
    with iron.shop.database.transaction() as transaction:
        for statement in poison:
            transaction.session.execute(statement)
    browser = browse(Role.ADMIN)
    pages = {path: browser.read(path) for path in iron.pages.values()}

    assert [path for path, html in pages.items() if "<img src=x" in html] == []
    assert "&lt;img src=x" in pages[f"/admin/machines/{iron.active}"]


def test_alerts_of_machines_are_told_in_words(browse: OpenBrowser, iron: IronHouse) -> None:
    """With the way to the machine, where there is one."""
    html = browse(Role.SUPPORT).read("/admin/alerts")

    assert "Machine in quarantine" in html
    assert "Unexpected network boot" in html
    assert "Boot token misused" in html
    assert f"/admin/machines/{iron.quarantined}" in html


@pytest.mark.usefixtures("iron")
def test_the_dashboard_counts_the_pool(browse: OpenBrowser) -> None:
    """Trouble first."""
    html = browse(Role.SUPPORT).read("/admin")

    assert "machines in trouble<small>7 free, 3 in use</small>" in html


def test_a_workload_on_a_machine_is_found_everywhere(browse: OpenBrowser, iron: IronHouse) -> None:
    """It has no node: lists of workloads and operations name its machine."""
    browser = browse(Role.SUPPORT)

    assert "rack1-08" in browser.read("/admin/workloads?q=hermes")
    assert "rack1-08" in browser.read("/admin/operations?node=rack1-08")
    assert f"/admin/machines/{iron.installing}" in browser.read(f"/admin/workloads/{iron.arriving}")
