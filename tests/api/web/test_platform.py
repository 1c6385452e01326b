"""Platform stacks on their pages: from the configuration to the approval."""

from uuid import UUID

from sqlalchemy import select

from api.auth.models import Role
from api.platform.models import PlatformRun, RunAction, RunStatus
from tests.fixtures.api import Api
from tests.fixtures.pages import OpenBrowser
from tests.fixtures.platform_api import YAML, plan_by_worker

STACK = "/admin/platform/stacks/lab-network"


def _run(api: Api) -> PlatformRun:
    with api.runtime.database.transaction() as transaction:
        return transaction.session.scalars(select(PlatformRun).order_by(PlatformRun.id.desc()).limit(1)).one()


def test_a_configuration_becomes_a_plan_and_a_run(platform_api: Api, platform_browse: OpenBrowser) -> None:
    """Saved by one administrator, shown as a diff, approved by another; nothing before that."""
    asker, other = platform_browse(Role.ADMIN), platform_browse(Role.ADMIN)
    fields = {"configuration": YAML, "verb": "up", "reason": "an office network"}
    page = asker.submit(STACK, f"{STACK}/runs", **fields).headers["Location"]
    plan_by_worker(platform_api, UUID(page.rpartition("/")[2]))
    assert "another administrator has to approve it" in asker.read(page)
    html = other.read(page)
    assert 'aria-label="delete RobotVSwitch lab-old"' in html
    assert "[secret]" not in html

    plan = next(target for target in _targets(html) if target.endswith("/approve"))
    assert other.submit(page, plan, reason="looked at it").headers["Location"] == page
    assert "Approved: the run is on its way." in other.read(page)
    assert _run(platform_api).status is RunStatus.QUEUED


def test_a_wrong_configuration_comes_back_as_it_was_typed(platform_api: Api, platform_browse: OpenBrowser) -> None:
    """With line and key of what is wrong, and nothing stored."""
    browser = platform_browse(Role.ADMIN)
    typed = "cidr: 10.0.0.0/8\n# my <note>\nsubnet: [a]\n"
    answer = browser.submit(STACK, f"{STACK}/runs", configuration=typed, verb="up", reason="a try")

    assert answer.status_code == 422
    assert "line 3: subnet" in answer.text
    assert "# my &lt;note&gt;" in answer.text
    assert platform_api.jobs.sent == []


def test_a_destroy_wants_the_stacks_name(platform_api: Api, platform_browse: OpenBrowser) -> None:
    """Typed, and exactly."""
    browser = platform_browse(Role.ADMIN)
    browser.submit(STACK, f"{STACK}/runs", configuration=YAML, verb="preview", reason="to look")
    page = f"/admin/platform/runs/{_run(platform_api).id}"
    browser.submit(page, f"{page}/cancel", reason="seen enough")
    fields = {"verb": "destroy", "reason": "moving out", "configuration": ""}
    refused = browser.post(f"{STACK}/runs", confirmation="lab-nodes", **fields)
    assert refused.status_code == 409
    assert "type the stack" in refused.text
    browser.post(f"{STACK}/runs", confirmation="lab-network", **fields)

    assert (_run(platform_api).action, _run(platform_api).status) == (RunAction.DESTROY, RunStatus.QUEUED)


def test_support_looks_and_may_do_nothing(platform_api: Api, platform_browse: OpenBrowser) -> None:
    """The pages say who may."""
    admin = platform_browse(Role.ADMIN)
    admin.submit(STACK, f"{STACK}/runs", configuration=YAML, verb="up", reason="an office network")
    plan_by_worker(platform_api, _run(platform_api).id)
    support = platform_browse(Role.SUPPORT)

    assert "lab-network" in support.read("/admin/platform")
    assert "waits for an administrator" in support.read("/admin/plans")
    assert "An administrator may do that." in support.read(STACK)
    assert "An administrator has to decide." in support.read(f"/admin/platform/runs/{_run(platform_api).id}")


def test_a_stack_is_found_by_its_name(platform_browse: OpenBrowser) -> None:
    """One that is not there yet can be described; a name that no stack can have leads nowhere."""
    browser = platform_browse(Role.ADMIN)

    assert browser.get("/admin/platform/open?stack=lab-edge").headers["Location"] == "/admin/platform/stacks/lab-edge"
    assert browser.get("/admin/platform/open?stack=w-1").status_code == 404
    assert "Nothing is known of this stack yet" in browser.read("/admin/platform/stacks/lab-edge")


def _targets(html: str) -> list[str]:
    return [part.partition('"')[0] for part in html.split('action="')[1:]]
