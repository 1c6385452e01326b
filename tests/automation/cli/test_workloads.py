"""Looking at servers and running them, from a terminal."""

import json
from concurrent.futures import ThreadPoolExecutor

from api.workloads.models import WorkloadStatus
from tests.automation.cli.conftest import Terminal, lines, place
from tests.fixtures.api import Api, Customer
from tests.fixtures.operations import Desk
from tests.fixtures.shop import Shop


class TestLooking:
    def test_the_list_shows_name_status_and_addresses(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
    ) -> None:
        """One line a server, also in a pipe."""
        api_desk.deliver(place(api_shop, buyer, "box"))
        place(api_shop, buyer, "other")
        heading, *rows = lines(logged_in.run("list"))
        assert heading.split() == ["NAME", "KIND", "STATUS", "IPV4", "IPV6", "ADDRESS"]
        assert [row.split()[0] for row in rows] == ["other", "box"]
        assert "running" in rows[1]
        assert "queued" in rows[0]

    def test_only_my_own_are_listed(self, logged_in: Terminal, api_shop: Shop) -> None:
        """Another customer's server is not even named."""
        api_shop.place_paid(name="secret-box")
        assert "secret-box" not in logged_in.run("list", "--all").output
        assert "you have no server named 'secret-box'" in logged_in.run("show", "secret-box", exit_code=1).stderr

    def test_deleted_ones_are_listed_on_request(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
    ) -> None:
        """A name can be used again; `show` means the one that still exists."""
        order_id = place(api_shop, buyer, "box")
        api_desk.deliver(order_id)
        api_desk.cancel(order_id)
        api_desk.end(api_desk.begun(order_id))
        assert "No servers yet" in logged_in.run("list").stdout
        assert json.loads(logged_in.run("show", "box", "--json").stdout)["status"] == "deleted"
        place(api_shop, buyer, "box")
        assert len(json.loads(logged_in.run("list", "--all", "--json").stdout)) == 2
        assert json.loads(logged_in.run("show", "box", "--json").stdout)["status"] == "queued"

    def test_one_server_with_its_history(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
    ) -> None:
        """By name or by id, for people and for programs."""
        order_id = place(api_shop, buyer, "box")
        api_desk.deliver(order_id)
        said = logged_in.run("show", str(api_shop.workload(order_id).id)).stdout
        assert "22/tcp (SSH)" in said
        assert "1 core, 2 GiB memory, 20 GiB disk" in said
        assert "What happened" in said
        document = json.loads(logged_in.run("show", "box", "--json").stdout)
        assert document["status"] == "running"
        assert [change["to_status"] for change in document["history"]][-1] == "pending_payment"


class TestLogs:
    def test_the_log_so_far(self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk) -> None:
        """Without --follow the command does not wait for a running operation."""
        lease = api_desk.begun(place(api_shop, buyer, "box"))
        api_desk.log(lease, "Creating virtual machine box", "Created [bold]box[/]")
        said = [line[10:] for line in lines(logged_in.run("logs", "box"))]
        assert said[-2:] == ["Creating virtual machine box", "Created [bold]box[/]"]

    def test_following_ends_with_the_operation(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
    ) -> None:
        """A failure is told in a sentence, and the exit status says it too."""
        order_id = place(api_shop, buyer, "box")
        api_desk.deliver(order_id)
        api_desk.power(order_id, started=False)
        lease = api_desk.begun(order_id)
        api_desk.log(lease, "Changing virtual machine box")
        api_desk.end(lease, error_code="node_refused", error_detail="The node refuses.", retryable=False)
        result = logged_in.run("logs", "box", "--follow", exit_code=1)
        assert "Changing virtual machine box" in result.stdout
        assert result.stderr == "Error: The node refuses. (node_refused)\n"

    def test_following_waits_for_the_payment(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
    ) -> None:
        """It can be begun before the payment page is even opened."""
        order_id = api_shop.place(buyer.id, name="box")

        def pay_and_deliver() -> None:
            api_shop.payments.pay(order_id)
            api_shop.billing.check_order(order_id)
            lease = api_desk.begun(order_id)
            api_desk.log(lease, "Creating virtual machine box")
            api_desk.end(lease, is_running=True, outputs={}, changes={}, pulumi_processes=2, cpu_seconds=1.0)

        with ThreadPoolExecutor(1) as worker:
            background = worker.submit(pay_and_deliver)
            said = logged_in.run("logs", "box", "--follow").stdout
            background.result()
        assert "Creating virtual machine box" in said

    def test_an_order_that_is_not_paid_has_no_log(self, logged_in: Terminal, buyer: Customer, api_shop: Shop) -> None:
        """The message says what it waits for."""
        api_shop.place(buyer.id, name="box")
        assert "the order was not paid" in logged_in.run("logs", "box", exit_code=1).stderr


class TestActing:
    def test_stop_start_and_reboot(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk, api: Api
    ) -> None:
        """Each begins an operation, or says that there is nothing to do."""
        order_id = place(api_shop, buyer, "box")
        api_desk.deliver(order_id)
        assert "it runs already" in logged_in.run("start", "box").stdout
        assert "slipway logs box --follow" in logged_in.run("stop", "box").stdout
        api_desk.end(api_desk.begun(order_id), is_running=False, outputs={}, changes={})
        assert "it is stopped already" in logged_in.run("stop", "box").stdout
        assert "begun" in logged_in.run("start", "box").stdout
        api_desk.end(api_desk.begun(order_id), is_running=True, outputs={}, changes={})
        assert "begun" in logged_in.run("reboot", "box").stdout
        assert api.jobs.sent

    def test_what_cannot_be_done_now_is_told(self, logged_in: Terminal, buyer: Customer, api_shop: Shop) -> None:
        """A server that is not there yet cannot be rebooted."""
        place(api_shop, buyer, "box")
        error = logged_in.run("reboot", "box", exit_code=1).stderr
        assert error.startswith("Error: ")
        assert "request " in error

    def test_cancelling_asks_first(self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk) -> None:
        """What cannot be undone is not done by a slip."""
        order_id = place(api_shop, buyer, "box")
        api_desk.deliver(order_id)
        logged_in.run("cancel", "box", typed="n\n", exit_code=1)
        assert len(api_shop.operations(order_id)) == 1
        logged_in.run("cancel", "box", typed="y\n")
        assert api_shop.operations(order_id)[-1].kind == "destroy"


def test_a_removal_is_called_off_before_it_begins(
    logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
) -> None:
    """The undo of a mistake; once nothing is being done, the answer says so."""
    order_id = place(api_shop, buyer, "web")
    api_desk.deliver(order_id)
    logged_in.run("cancel", "web", "--yes")
    assert "nothing had been done yet" in logged_in.run("abort", "web").output
    assert api_shop.workload(order_id).status is WorkloadStatus.RUNNING
    assert "nothing is being done" in logged_in.run("abort", "web", exit_code=1).output
