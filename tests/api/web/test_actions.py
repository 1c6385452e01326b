"""What staff does on the other pages: each form does one thing, says so, and leaves a trace."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from api.alerts.models import Alert
from api.audit.models import AuditRecord
from api.auth.models import Role
from api.db.session import Database
from api.drift.models import DriftFinding, DriftIgnore, FindingStatus, OrphanKind, OrphanSighting, OrphanStatus
from api.jobs import Job
from api.operations.models import Operation, OperationStatus
from api.policy.settings import policy_in_force
from tests.fixtures.api import Api
from tests.fixtures.busy_house import BusyHouse
from tests.fixtures.pages import OpenBrowser


def test_a_running_operation_is_asked_to_end(browse: OpenBrowser, house: BusyHouse) -> None:
    """The page then says who asked; a second time is a conflict only once it has ended."""
    browser = browse(Role.OPERATOR)
    page = f"/admin/operations/{house.running}"
    answer = browser.submit(page, f"{page}/cancel", reason="wrong size")
    operation = house.shop.change(lambda session: session.get_one(Operation, house.running))

    assert answer.headers["Location"] == page
    assert operation.cancel_requested_by == browser.person.id
    assert f"{browser.person.email} asked for its end" in browser.read(page)


def test_an_ended_operation_has_nothing_to_cancel(browse: OpenBrowser, house: BusyHouse) -> None:
    """No button; a form all the same is a conflict, as a page."""
    browser = browse(Role.OPERATOR)
    page = f"/admin/operations/{house.failed}"

    assert f'action="{page}/cancel"' not in browser.read(page)
    assert browser.post(f"{page}/cancel", reason="too late").status_code == 409


def test_the_queue_is_filtered(browse: OpenBrowser, house: BusyHouse) -> None:
    """By status, kind and node; a filter that nobody offers finds nothing."""
    browser = browse(Role.SUPPORT)

    def shows(query: str) -> list[bool]:
        html = browser.read(f"/admin/operations?{query}")
        return [f"/admin/operations/{one}" in html for one in (house.running, house.failed)]

    assert shows("status=running") == [True, False]
    assert shows("status=active") == [True, False]
    assert shows("status=failed&kind=apply&node=cloud-1") == [False, True]
    assert shows("kind=destroy") == [False, False]
    assert shows("node=game-1") == [False, False]
    assert shows("status=no-such") == [False, False]


def test_a_long_list_is_cut_and_goes_on(browse: OpenBrowser, database: Database) -> None:
    """Every row is on one of the parts, none on two; the filter goes along."""
    wanted = {f"pile-{number:02}" for number in range(60)}
    with database.transaction() as transaction:
        transaction.session.add_all([_seen(name) for name in sorted(wanted)])
    browser = browse(Role.SUPPORT)
    first = browser.read("/admin/orphans?status=seen")
    url = first.split('" rel="next"')[0].rsplit('"', 1)[1].replace("&amp;", "&")
    second = browser.read(url)

    parts = [{name for name in wanted if f"<b>{name}</b>" in html} for html in (first, second)]
    assert [len(part) for part in parts] == [50, 10]
    assert parts[0] | parts[1] == wanted
    assert "status=seen" in url
    assert 'rel="next"' not in second


def _seen(name: str) -> OrphanSighting:
    now = datetime.now(UTC)
    return OrphanSighting(
        id=uuid7(),
        kind=OrphanKind.ADDRESS_WITHOUT_GUEST,
        place="fsn-v4-0",
        subject=name,
        name=name,
        tags=[],
        first_seen=now,
        last_seen=now,
    )


@pytest.mark.parametrize("text", ["craft", "CRAF", "203.0.113.2", "buyer", "cloud-1", "100000", "craft-", "{id}"])
def test_a_workload_is_found_by_what_people_know_of_it(browse: OpenBrowser, house: BusyHouse, text: str) -> None:
    """Its name, address, owner, node, VMID, host name or id."""
    query = text.format(id=house.workload)

    assert f"/admin/workloads/{house.workload}" in browse(Role.SUPPORT).read(f"/admin/workloads?q={query}")


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("text", ["%", "_", "nobody-has-this", "'", "\\"])
def test_a_search_takes_signs_as_they_are(browse: OpenBrowser, text: str) -> None:
    """A percent sign is no wildcard."""
    answer = browse(Role.SUPPORT).get("/admin/workloads", params={"q": text})

    assert answer.status_code == 200
    assert "No workload fits." in answer.text


class TestDrift:
    @pytest.mark.parametrize("verb", ["adopt", "revert"])
    def test_a_repair_is_an_operation_like_any_other(
        self, browse: OpenBrowser, house: BusyHouse, api: Api, verb: str
    ) -> None:
        """It looks at what is really there first, its worker gets a hint, and the page links to it."""
        browser = browse(Role.OPERATOR)
        page = f"/admin/drift/{house.finding}"
        answer = browser.submit(page, f"{page}/{verb}", reason="agreed with the owner")
        finding = house.shop.change(lambda session: session.get_one(DriftFinding, house.finding))
        assert finding.operation_id is not None
        operation = house.shop.change(lambda session: session.get_one(Operation, finding.operation_id))
        html = browser.read(answer.headers["Location"])

        assert finding.status is FindingStatus.REPAIRING
        assert operation.refreshes
        assert (operation.id,) in api.jobs.of(Job.RUN_OPERATION)
        assert f"/admin/operations/{operation.id}" in html
        assert f'action="{page}/adopt"' not in html

    def test_one_lives_with_it_for_some_days(self, browse: OpenBrowser, house: BusyHouse) -> None:
        """The rule stands on the list, with who made it and why."""
        browser = browse(Role.OPERATOR)
        page = f"/admin/drift/{house.finding}"
        browser.submit(page, f"{page}/ignore", reason="a trial", days="7", path_pattern="resources.*")
        rules = house.shop.all(DriftIgnore)

        assert [(rule.reason, rule.path_pattern, rule.until is not None) for rule in rules] == [
            ("a trial", "resources.*", True)
        ]
        assert "a trial" in browser.read("/admin/drift")

    def test_a_pattern_that_fits_nothing_is_refused(self, browse: OpenBrowser, house: BusyHouse) -> None:
        """Named, as a page."""
        page = f"/admin/drift/{house.finding}"
        answer = browse(Role.OPERATOR).submit(page, f"{page}/ignore", reason="a trial", path_pattern="dns.*")

        assert answer.status_code == 422
        assert "ath_pattern" in answer.text


def test_an_orphan_is_removed_by_a_worker(browse: OpenBrowser, house: BusyHouse, api: Api) -> None:
    """The page says what would be deleted; the decision is a row, the worker gets a hint."""
    browser = browse(Role.OPERATOR)
    assert "with all its disks" in browser.read("/admin/orphans")
    browser.submit("/admin/orphans", f"/admin/orphans/{house.orphan}/remove", reason="left by a crash")
    orphan = house.shop.change(lambda session: session.get_one(OrphanSighting, house.orphan))

    assert (orphan.status, orphan.requested_by) == (OrphanStatus.REMOVING, browser.person.id)
    assert api.jobs.of(Job.REMOVE_ORPHAN) == [(house.orphan,)]


def test_what_does_not_bear_our_tags_has_no_button(browse: OpenBrowser, house: BusyHouse) -> None:
    """And a form all the same is refused."""
    strip = update(OrphanSighting).where(OrphanSighting.id == house.orphan).values(tags=[])
    house.shop.change(lambda session: session.execute(strip))
    browser = browse(Role.OPERATOR)

    assert "/remove" not in browser.read("/admin/orphans")
    assert browser.post(f"/admin/orphans/{house.orphan}/remove", reason="looks ours").status_code == 409


def test_an_alert_is_acknowledged(browse: OpenBrowser, house: BusyHouse) -> None:
    """It stays open, with the name of who is at it."""
    browser = browse(Role.OPERATOR)
    browser.submit("/admin/alerts", f"/admin/alerts/{house.alert}/acknowledge")
    alert = house.shop.change(lambda session: session.get_one(Alert, house.alert))

    assert alert.acknowledged_by == browser.person.id
    assert alert.resolved_at is None
    assert browser.person.email in browser.read("/admin/alerts").split("<table", 1)[1]


class TestAudit:
    def test_what_was_done_is_found_by_who_and_what_and_about(self, browse: OpenBrowser, house: BusyHouse) -> None:
        """Each filter alone, and all together; another person's name finds nothing."""
        browser = browse(Role.OPERATOR)
        browser.submit("/admin/alerts", f"/admin/alerts/{house.alert}/acknowledge")
        about = f"subject={house.workload}"
        queries = ["action=alert.", f"actor={browser.person.email}", f"{about}&action=alert.acknowledge"]

        assert ["alert.acknowledge" in browser.read(f"/admin/audit?{query}") for query in queries] == [True] * 3
        assert "No record fits." in browser.read("/admin/audit?actor=nobody@example.com")
        assert "No record fits." in browser.read("/admin/audit?until=2020-01-01")
        assert "alert.acknowledge" in browser.read("/admin/audit?since=2020-01-01&until=2100-01-01")

    def test_the_chain_is_checked_on_demand(self, browse: OpenBrowser, house: BusyHouse) -> None:
        """Whole, it is said how long it is."""
        browser = browse(Role.OPERATOR)
        answer = browser.submit("/admin/audit", "/admin/audit/verify")
        records = house.shop.change(lambda session: len(session.scalars(select(AuditRecord.seq)).all()))

        assert f"The chain is whole: {records} records" in browser.read(answer.headers["Location"])


class TestPolicy:
    def test_an_administrator_sets_it(self, browse: OpenBrowser, house: BusyHouse) -> None:
        """A new version with a reason; the form shows what is in force."""
        browser = browse(Role.ADMIN)
        browser.submit("/admin/policy", "/admin/policy", approval_price_cents="12345", reason="prices rose")
        policy = house.shop.change(policy_in_force)

        assert (policy.version, policy.settings.approval_price_cents, policy.reason) == (1, 12345, "prices rose")
        assert 'value="12345"' in browser.read("/admin/policy")
        assert "prices rose" in browser.read("/admin/policy")

    @pytest.mark.parametrize("price", ["-1", "x", "1e9", "999999999999"])
    def test_what_cannot_be_meant_is_refused(self, browse: OpenBrowser, price: str) -> None:
        """Named by its field, as a page; nothing is set."""
        fields = {"approval_price_cents": price, "reason": "why not"}
        answer = browse(Role.ADMIN).submit("/admin/policy", "/admin/policy", **fields)

        assert answer.status_code == 422
        assert "pproval price cents" in answer.text

    def test_of_two_administrators_the_second_is_told(self, browse: OpenBrowser) -> None:
        """A form from before the other's change overwrites nothing."""
        first, second = browse(Role.ADMIN), browse(Role.ADMIN)
        first.submit("/admin/policy", "/admin/policy", reason="prices rose")
        answer = second.submit("/admin/policy", "/admin/policy", version="0", reason="prices fell")

        assert (answer.status_code, "policy_moved" in answer.text) == (409, True)


def test_a_waiting_operation_ends_at_once(browse: OpenBrowser, house: BusyHouse) -> None:
    """What waited for an approval is cancelled, and its page says so."""
    browser = browse(Role.OPERATOR)
    operation = house.planned.operation_of(house.plan)
    page = f"/admin/operations/{operation.id}"
    assert f"/admin/plans/{house.plan}" in browser.read(page)
    browser.submit(page, f"{page}/cancel", reason="changed their mind")

    assert house.planned.operation_of(house.plan).status is OperationStatus.CANCELLED


class TestTheLogAsAStream:
    def test_it_goes_on_behind_the_line_that_the_page_ends_with(self, browse: OpenBrowser, house: BusyHouse) -> None:
        """Of any customer's operation; an ended one's stream ends with it."""
        browser = browse(Role.SUPPORT)
        page = f"/admin/operations/{house.failed}/events"
        whole = browser.get(page).text
        first = int(whole.split("id: ")[1].split()[0])
        rest = browser.get(f"{page}?after={first}").text

        assert "Bringing survival" in whole
        assert "Bringing survival" not in rest
        assert "event: end" in rest

    def test_of_an_unknown_operation_there_is_none(self, browse: OpenBrowser) -> None:
        """Told before the stream begins."""
        answer = browse(Role.SUPPORT).get("/admin/operations/00000000-0000-7000-8000-000000000000/events")

        assert answer.status_code == 404
