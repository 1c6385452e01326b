"""A plan on its page: what one sees, and what comes of a word on it."""

import pytest
from sqlalchemy import select, update

from api.auth.models import Role
from api.operations.models import OperationStatus
from api.plans.models import Approval, Plan, PlanStatus, Verdict
from api.workloads.models import Workload
from tests.fixtures.pages import OpenBrowser, PlannedShop


def test_the_diff_says_in_words_what_happens_to_each_resource(browse: OpenBrowser, planned: PlannedShop) -> None:
    """What destroys data comes first; each property with before and after; a secret never."""
    html = browse(Role.SUPPORT).read(f"/admin/plans/{planned.waiting()}")

    order = [html.index(f'aria-label="{label}') for label in ("replace Virtual machine", "delete DNS record")]
    assert order == sorted(order)
    assert "update Firewall" in html
    assert "create DNS record craft.play.example" in html
    assert "no change" in html
    assert "<del>2</del>" in html
    assert "<ins>4</ins>" in html
    assert "[secret]" not in html
    assert "Data is lost" in html


def test_everything_that_an_approval_is_bound_to_is_told(browse: OpenBrowser, planned: PlannedShop) -> None:
    """Price, policy, why somebody must agree, hash, versions, expiry."""
    plan_id = planned.waiting()
    html = browse(Role.SUPPORT).read(f"/admin/plans/{plan_id}")

    told = [
        "0.00 EUR",
        "4.50 EUR",
        "node is calm",
        "the node is 92 percent full",
        "it would destroy what the customer has stored",
        planned.plan(plan_id).hash,
        "3.259.0",
        "3f9c2d41",
    ]
    assert [text for text in told if text not in html] == []


def test_an_operator_approves_what_was_seen(browse: OpenBrowser, planned: PlannedShop) -> None:
    """The operation is queued, its worker gets a hint, and the page says who said what."""
    plan_id = planned.waiting()
    browser = browse(Role.OPERATOR)
    page = f"/admin/plans/{plan_id}"
    answer = browser.submit(page, f"{page}/approve", reason="The owner called.")
    html = browser.read(answer.headers["Location"])

    assert answer.status_code == 303
    assert "Approved: the operation is on its way." in html
    assert "The owner called." in html
    assert planned.plan(plan_id).status is PlanStatus.APPROVED
    assert planned.operation_of(plan_id).status is OperationStatus.QUEUED
    assert "on its way" not in browser.read(page)  # a message is shown once


def test_a_second_person_is_waited_for(browse: OpenBrowser, planned: PlannedShop) -> None:
    """Who has approved is offered no second word."""
    plan_id = planned.waiting(people=2)
    page = f"/admin/plans/{plan_id}"
    first, second = browse(Role.OPERATOR), browse(Role.ADMIN)
    first.submit(page, f"{page}/approve", reason="fine by me")
    between = first.read(page)
    second.submit(page, f"{page}/approve", reason="by me too")

    assert "Somebody else has to" in between
    assert f'action="{page}/approve"' not in between
    assert planned.plan(plan_id).status is PlanStatus.APPROVED


def test_a_plan_that_has_moved_leads_to_the_fresh_one(browse: OpenBrowser, planned: PlannedShop) -> None:
    """409, the reason, and a link; the old plan leads there too."""
    plan_id = planned.waiting()
    browser = browse(Role.OPERATOR)
    page = f"/admin/plans/{plan_id}"
    operation = planned.operation_of(plan_id)
    moved = update(Workload).where(Workload.id == operation.workload_id).values(generation=7)
    planned.shop.change(lambda session: session.execute(moved))
    answer = browser.submit(page, f"{page}/approve", reason="looks right")

    assert answer.status_code == 409
    assert "plan_moved" in answer.text
    assert f"{page}/fresh" in answer.text
    assert browser.get(f"{page}/fresh").headers["Location"] == f"/admin/operations/{operation.id}"
    assert planned.plan(plan_id).status is PlanStatus.SUPERSEDED
    assert "can no longer be applied" in browser.read(page)


def test_another_hash_than_the_plans_is_refused(browse: OpenBrowser, planned: PlannedShop) -> None:
    """A form from before a change approves nothing."""
    plan_id = planned.waiting()
    answer = browse(Role.OPERATOR).post(f"/admin/plans/{plan_id}/approve", hash="0" * 64, reason="looks right")

    assert answer.status_code == 409
    assert planned.plan(plan_id).status is PlanStatus.CURRENT


def test_nobody_approves_what_they_asked_for(browse: OpenBrowser, planned: PlannedShop) -> None:
    """The page offers it not, and a form that is sent all the same is refused."""
    browser = browse(Role.ADMIN)
    plan_id = planned.waiting(requested_by=browser.person.id)
    page = f"/admin/plans/{plan_id}"
    html = browser.read(page)
    answer = browser.post(f"{page}/approve", hash=planned.plan(plan_id).hash, reason="it is mine")

    assert f'action="{page}/approve"' not in html
    assert "somebody else has to approve it" in html
    assert (answer.status_code, "own_plan" in answer.text) == (403, True)


def test_an_operator_rejects_with_a_reason(browse: OpenBrowser, planned: PlannedShop) -> None:
    """The operation ends; the reason is kept."""
    plan_id = planned.waiting()
    browser = browse(Role.OPERATOR)
    page = f"/admin/plans/{plan_id}"
    browser.submit(page, f"{page}/reject", reason="Not on a Friday.")
    words = planned.shop.change(lambda session: session.execute(select(Approval.verdict, Approval.reason)).all())

    assert [tuple(word) for word in words] == [(Verdict.REJECT, "Not on a Friday.")]
    assert planned.operation_of(plan_id).status is OperationStatus.CANCELLED
    assert "Not on a Friday." in browser.read(page)


@pytest.mark.parametrize("reason", ["", "  ", "x", "x" * 501])
def test_a_word_needs_a_reason(browse: OpenBrowser, planned: PlannedShop, reason: str) -> None:
    """422 that names the field; nothing is decided."""
    plan_id = planned.waiting()
    page = f"/admin/plans/{plan_id}"
    answer = browse(Role.OPERATOR).submit(page, f"{page}/approve", reason=reason)

    assert answer.status_code == 422
    assert "eason" in answer.text
    assert planned.plan(plan_id).status is PlanStatus.CURRENT


def test_what_waits_stands_on_the_dashboard_and_the_list(browse: OpenBrowser, planned: PlannedShop) -> None:
    """With why it waits; decided on, it is gone from there."""
    plan_id = planned.waiting()
    browser = browse(Role.OPERATOR)
    link = f'href="/admin/plans/{plan_id}"'
    before = [link in browser.read(path) for path in ("/admin", "/admin/plans?status=rejected")]
    browser.submit(f"/admin/plans/{plan_id}", f"/admin/plans/{plan_id}/reject", reason="no room")

    assert before == [True, True]
    assert link not in browser.read("/admin")
    assert link in browser.read("/admin/plans?status=rejected")
    assert link not in browser.read("/admin/plans?status=applied")


def test_an_edited_plan_is_found_out(browse: OpenBrowser, planned: PlannedShop) -> None:
    """A price changed in the database does not pass as what was previewed."""
    plan_id = planned.waiting()
    edit = update(Plan).where(Plan.id == plan_id).values(summary="nothing to see", price_after_cents=1)
    planned.shop.change(lambda session: session.execute(edit))
    page = f"/admin/plans/{plan_id}"
    answer = browse(Role.OPERATOR).submit(page, f"{page}/approve", reason="cheap enough")

    assert (answer.status_code, "plan_tampered" in answer.text) == (409, True)
