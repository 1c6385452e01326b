"""Ordering from a terminal."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest

from api.billing.models import Checkout
from api.orders.models import Order
from tests.automation.cli.conftest import Terminal
from tests.fakes.workload_specs import OTHER_SSH_KEY, SSH_KEY
from tests.fixtures.api import Api, Customer
from tests.fixtures.operations import Desk
from tests.fixtures.shop import Shop

VM = ("order", "cloud-vm", "--size", "small", "--template", "debian-12", "--name", "box", "--ssh-key", "laptop")
GAME = ("order", "game-server", "--size", "small", "--template", "minecraft-java", "--name", "blocks")


def once(find: Callable[[], UUID | None]) -> UUID:
    """Wait for what the command in the foreground is about to do; the bound only ends a broken test."""
    deadline = time.monotonic() + 30
    while (found := find()) is None:
        assert time.monotonic() < deadline, "no order was placed"
        time.sleep(0.02)
    return found


@pytest.mark.usefixtures("api_shop")
class TestCatalogue:
    def test_everybody_can_read_the_catalogue(self, at_api: Terminal) -> None:
        """Products with sizes, prices in plain money, and templates."""
        said = at_api.run("catalogue").stdout
        assert "Cloud VM (cloud-vm)" in said
        assert "4.50 EUR" in said
        assert "minecraft-java (Minecraft Java Edition)" in said

    def test_programs_read_it_as_json(self, at_api: Terminal) -> None:
        """Exactly what the API gives."""
        products = json.loads(at_api.run("catalogue", "--json").stdout)
        assert {product["slug"] for product in products} == {"bare-metal", "bot", "cloud-vm", "game-server"}


@pytest.mark.usefixtures("planner")
class TestOrder:
    def test_the_price_is_shown_and_a_yes_is_asked_for(self, logged_in: Terminal, api_shop: Shop) -> None:
        """What it makes is said before; then comes the page on which to pay."""
        said = logged_in.run(*VM, typed="y\n").stdout
        assert "for 4.50 EUR a month" in said
        assert "one public IPv4 address and an IPv6 /64 network" in said
        assert "Plan: a new virtual machine with 1 core on FSN node cloud-1; two new DNS records" in said
        assert "https://checkout.example.com/cs_test_" in said
        assert "slipway logs box --follow" in said
        assert len(api_shop.all(Order)) == 1

    def test_without_a_yes_nothing_is_ordered(self, logged_in: Terminal, api_shop: Shop) -> None:
        """Refused is not ordered."""
        assert "nothing was ordered" in logged_in.run(*VM, typed="n\n", exit_code=1).stderr
        assert not api_shop.all(Order)

    def test_a_key_given_as_a_file_is_added_to_the_account_once(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, tmp_path: Path
    ) -> None:
        """By the file's name; a key that the account has already is used as it is."""
        api_shop.customer()
        for file, key in ((tmp_path / "work.pub", OTHER_SSH_KEY), (tmp_path / "copy.pub", SSH_KEY)):
            file.write_text(key)
            logged_in.run(*VM[:-4], "--name", file.stem, "--ssh-key", str(file), "--yes")
        names = {key["name"] for key in buyer.http.get("/v1/ssh-keys").json()["items"]}
        assert names == {"laptop", "work"}

    def test_an_unknown_key_is_named(self, logged_in: Terminal, api_shop: Shop) -> None:
        """It is neither a name nor a file."""
        error = logged_in.run(*VM[:-1], "nope", "--yes", exit_code=1).stderr
        assert "--ssh-key: 'nope' is neither the name of a key of yours nor a file" in error
        assert not api_shop.all(Order)

    @pytest.mark.parametrize(
        ("option", "value", "said"),
        [
            ("--size", "huge", "has no size 'huge'"),
            ("--template", "python-bot", "cannot be ordered with template 'python-bot'"),
            ("--name", "Bad_Name", "name: use 1 to 63 lower-case letters"),
            ("--name", "x" * 300, "name: "),
            ("--name", "näme\nb", "name: "),
        ],
    )
    def test_a_bad_wish_is_told_by_its_field(
        self, logged_in: Terminal, api_shop: Shop, option: str, value: str, said: str
    ) -> None:
        """The API's sentence, its code, and nothing ordered."""
        error = logged_in.run(*VM, option, value, "--yes", exit_code=1).stderr
        assert said in error
        assert "(invalid_input, request " in error
        assert not api_shop.all(Order)

    def test_sold_out_is_said_before_the_question(self, logged_in: Terminal, empty_shop: Shop, api: Api) -> None:
        """Nobody is asked to order what cannot be had."""
        empty_shop.vault = api.runtime.vault
        empty_shop.stock({"sites": [], "nodes": [], "address_pools": [], "dns_zones": []})
        assert "sold out" in logged_in.run(*GAME, exit_code=1).stderr

    def test_stripe_away_means_nothing_is_charged(self, logged_in: Terminal, api: Api, api_shop: Shop) -> None:
        """The API's own words; the exit status says that it failed."""
        api_shop.payments.is_reachable = False
        assert "payments_unavailable" in logged_in.run(*GAME, "--yes", exit_code=1).stderr
        assert not api.payments.requests

    def test_nobody_orders_without_a_login(self, at_api: Terminal) -> None:
        """The message names the command that helps."""
        assert "run `slipway login`" in at_api.run(*GAME, exit_code=1).stderr


def _with_page(shop: Shop) -> UUID:
    """Wait until the order has its payment page; before that, asking Stripe about it tells nothing."""
    return once(lambda: next((page.order_id for page in shop.all(Checkout) if page.session_id), None))


class TestWaiting:
    def test_the_progress_is_shown_until_it_runs(
        self, logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk
    ) -> None:
        """Payment, log and the finished server, in one command."""

        def pay_and_deliver() -> None:
            order_id = _with_page(api_shop)
            api_shop.payments.pay(order_id)
            api_shop.billing.check_order(order_id)
            lease = api_desk.begun(order_id)
            api_desk.log(lease, "Creating virtual machine box")
            api_desk.end(lease, is_running=True, outputs={}, changes={}, pulumi_processes=2, cpu_seconds=1.0)

        with ThreadPoolExecutor(1) as worker:
            background = worker.submit(pay_and_deliver)
            said = logged_in.run(*VM, "--yes", "--wait").stdout
            background.result()
        assert "Creating virtual machine box" in said
        assert "running" in said
        assert "22/tcp (SSH)" in said
        assert buyer.email not in said

    def test_what_cannot_be_delivered_is_paid_back_and_said_so(
        self, logged_in: Terminal, api_shop: Shop, api_desk: Desk
    ) -> None:
        """Why it failed, and what becomes of the money, in one sentence."""

        def pay_and_fail() -> None:
            order_id = _with_page(api_shop)
            api_shop.payments.pay(order_id)
            api_shop.billing.check_order(order_id)
            lease = api_desk.begun(order_id)
            api_desk.end(lease, error_code="node_refused", error_detail="The node refuses", retryable=False)

        with ThreadPoolExecutor(1) as worker:
            background = worker.submit(pay_and_fail)
            error = logged_in.run(*GAME, "--yes", "--wait", exit_code=1).stderr
            background.result()
        assert "You get your money back" in error

    def test_an_order_that_is_not_paid_in_time_ends_the_wait(self, logged_in: Terminal, api_shop: Shop) -> None:
        """Said as what it is; nothing was charged."""

        def expire() -> None:
            order_id = _with_page(api_shop)
            api_shop.payments.expire(order_id)
            api_shop.billing.check_order(order_id)

        with ThreadPoolExecutor(1) as worker:
            background = worker.submit(expire)
            error = logged_in.run(*GAME, "--yes", "--wait", exit_code=1).stderr
            background.result()
        assert "the order is closed" in error
