"""A customer's page of a machine: what it says, and what its forms do."""

import pytest
from sqlalchemy import update

from api.jobs import Job
from api.machines.models import DeploymentStatus
from api.operations.models import Operation, OperationKind, OperationStatus
from api.workloads.models import Workload, WorkloadStatus
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.iron_house import IronHouse
from tests.fixtures.pages import Browser, forms_of
from tests.fixtures.statements import statements

MOST_STATEMENTS = 7
_KINDS = {"reset": OperationKind.REBOOT, "cancel": OperationKind.DESTROY}


@pytest.fixture
def owner(api: Api, iron: IronHouse) -> Browser:
    """Return the customer's browser, logged in."""
    browser = Browser(iron.owner, api.client(), home="/my")
    answer = browser.submit("/my/login", "/my/login", email=iron.owner.email, password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return browser


def _verbs(html: str) -> set[str]:
    return {action.rpartition("/")[2] for action, _ in forms_of(html) if "/machines/" in action}


def _workload(iron: IronHouse) -> Workload:
    return iron.shop.change(lambda session: session.get_one(Workload, iron.running))


def _newest(iron: IronHouse) -> Operation:
    mine = [one for one in iron.shop.all(Operation) if one.workload_id == iron.running]
    return max(mine, key=lambda operation: operation.id)


def _be(iron: IronHouse, **values: object) -> None:
    changed = update(Workload).where(Workload.id == iron.running).values(**values)
    iron.shop.change(lambda session: session.execute(changed))


def test_the_page_says_how_the_machine_is(owner: Browser, iron: IronHouse) -> None:
    """Name, addresses, image and layout, in words; what is under way by phase, with its console."""
    busy, calm = owner.read(f"/my/machines/{iron.arriving}"), owner.read(f"/my/machines/{iron.running}")
    desired = _workload(iron).desired

    assert desired["network"]["ipv4"]["address"] in calm
    assert "two disks, mirrored (RAID 1)" in calm
    assert "Your machine is switched on" in calm
    assert 'aria-current="step"' in busy
    assert "[secret]" in busy
    assert "tok-very-secret" not in busy + calm
    assert "in rescue" in owner.read("/my")


def test_every_page_takes_few_statements(api: Api, owner: Browser, iron: IronHouse) -> None:
    """However much a machine has been through."""
    counted = {}
    for path in iron.own_pages.values():
        with statements(api.runtime.database) as seen:
            owner.read(path)
        counted[path] = len(seen)

    assert {path: number for path, number in counted.items() if number > MOST_STATEMENTS} == {}


@pytest.mark.parametrize(
    ("values", "verbs"),
    [
        ({"status": WorkloadStatus.RUNNING}, {"reset", "stop", "rescue", "reinstall", "cancel"}),
        ({"status": WorkloadStatus.STOPPED}, {"start", "rescue", "reinstall", "cancel"}),
        ({"status": WorkloadStatus.NEEDS_ATTENTION, "attention": "It hangs."}, {"reinstall", "cancel"}),
        ({"status": WorkloadStatus.CANCELLING, "desired_absent": True}, set()),
        ({"status": WorkloadStatus.SUSPENDED}, {"cancel"}),
    ],
)
def test_each_status_offers_what_can_be_asked_for(
    owner: Browser, iron: IronHouse, values: dict[str, object], verbs: set[str]
) -> None:
    """And nothing that would be refused."""
    _be(iron, **values)

    assert _verbs(owner.read(f"/my/machines/{iron.running}")) == verbs


def test_while_something_is_under_way_one_can_only_cancel(owner: Browser, iron: IronHouse) -> None:
    """In rescue one can leave it."""
    assert _verbs(owner.read(f"/my/machines/{iron.arriving}")) == {"cancel"}
    assert _verbs(owner.read(f"/my/machines/{iron.rescued}")) == {"rescue", "reinstall", "cancel"}


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("reset", {}),
        ("stop", {}),
        ("rescue", {"on": "true"}),
        ("reinstall", {"template": "ubuntu-24.04-metal", "layout": "single", "confirmation": "atlas"}),
        ("cancel", {"confirmation": "atlas"}),
    ],
)
def test_each_verb_is_an_operation_that_a_worker_is_told_of(
    api: Api, owner: Browser, iron: IronHouse, verb: str, fields: dict[str, str]
) -> None:
    """By the same services as in the JSON routes; the page says what was begun."""
    page = f"/my/machines/{iron.running}"
    answer = owner.submit(page, f"{page}/{verb}", **fields)
    operation = _newest(iron)

    assert answer.headers.get("Location") == page, answer.text
    assert (operation.kind, operation.status) == (_KINDS.get(verb, OperationKind.APPLY), OperationStatus.QUEUED)
    assert (operation.id,) in api.jobs.of(Job.RUN_OPERATION)
    assert 'class="note good"' in owner.read(page)


def test_a_reinstallation_is_what_was_chosen(owner: Browser, iron: IronHouse) -> None:
    """Image and layout; with the owner's consent, and counted."""
    page = f"/my/machines/{iron.running}"
    fields = {"template": "ubuntu-24.04-metal", "layout": "single", "confirmation": "atlas"}
    owner.submit(page, f"{page}/reinstall", **fields)
    desired = _workload(iron).desired

    assert (desired["image"]["name"], desired["layout"], desired["installation"]) == ("ubuntu-24.04-1", "single", 2)
    assert _newest(iron).has_consent


@pytest.mark.parametrize("verb", ["reinstall", "cancel"])
@pytest.mark.parametrize("typed", ["", "hermes", "ATLAS", "atlas2"])
def test_what_loses_data_wants_the_name(owner: Browser, iron: IronHouse, verb: str, typed: str) -> None:
    """Typed right; else nothing is changed, and the page leads back."""
    page, before = f"/my/machines/{iron.running}", iron.traces()
    fields = {"template": "debian-12-metal", "layout": "single", "confirmation": typed}
    answer = owner.submit(page, f"{page}/{verb}", **fields)

    assert answer.status_code == 422
    assert "type &#39;atlas&#39;" in answer.text
    assert iron.traces() == before


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("rescue", {"on": "perhaps"}),
        ("rescue", {}),
        ("reinstall", {"template": "no-such", "layout": "single", "confirmation": "atlas"}),
        ("reinstall", {"template": "debian-12", "layout": "single", "confirmation": "atlas"}),
        ("reinstall", {"template": "debian-12-metal", "layout": "raid0", "confirmation": "atlas"}),
        ("reinstall", {"template": "<script>", "layout": "single", "confirmation": "atlas"}),
    ],
)
def test_what_nobody_offers_is_refused(owner: Browser, iron: IronHouse, verb: str, fields: dict[str, str]) -> None:
    """Another product's image, too."""
    before = iron.traces()
    answer = owner.post(f"/my/machines/{iron.running}/{verb}", **fields)

    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert iron.traces() == before


def test_a_failed_installation_says_where_and_why(owner: Browser, iron: IronHouse) -> None:
    """In red, at its phase."""
    iron.end(DeploymentStatus.FAILED, "The image's checksum is not what it should be.")
    html = owner.read(f"/my/machines/{iron.arriving}")

    assert "failed here" in html
    assert "The image&#39;s checksum is not what it should be." in html


def test_a_guest_has_no_page_of_a_machine(owner: Browser, iron: IronHouse) -> None:
    """It is in the list, without a link; its id leads to no machine."""
    order_id = iron.shop.place_paid(iron.owner.id, product="bot", size="nano", template="python-bot", name="herald")
    workload = iron.shop.workload(order_id)

    assert "<b>herald</b>" in owner.read("/my")
    assert owner.get(f"/my/machines/{workload.id}").status_code == 404
    assert owner.post(f"/my/machines/{workload.id}/cancel", confirmation="herald").status_code == 404
