"""A third party's client of Robot (hrobot-py, made from its own description of the webservice) drives the stand-in."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hetzner_robot_webservice_api_unofficial_client import Client
from hetzner_robot_webservice_api_unofficial_client.api.boot_configuration import (
    activate_boot_linux,
    activate_boot_rescue,
    deactivate_boot_linux,
    get_boot_configuration,
    get_boot_rescue_options,
    get_last_boot_rescue,
)
from hetzner_robot_webservice_api_unofficial_client.api.firewall import (
    clear_firewall_configuration,
    get_firewall_configuration,
    list_firewall_templates,
)
from hetzner_robot_webservice_api_unofficial_client.api.ip import get_ip_address, list_ip_addresses
from hetzner_robot_webservice_api_unofficial_client.api.reset import execute_server_reset, list_reset_options
from hetzner_robot_webservice_api_unofficial_client.api.reverse_dns import (
    create_reverse_dns_entry,
    delete_reverse_dns_entry,
    get_reverse_dns_entry,
    list_reverse_dns_entries,
    upsert_reverse_dns_entry,
)
from hetzner_robot_webservice_api_unofficial_client.api.server import (
    cancel_server,
    get_server,
    get_server_cancellation,
    list_servers,
    update_server,
    withdraw_server_cancellation,
)
from hetzner_robot_webservice_api_unofficial_client.api.server_market import list_server_market_products
from hetzner_robot_webservice_api_unofficial_client.api.server_ordering import (
    create_server_order_transaction,
    list_server_order_products,
    list_server_order_transactions,
)
from hetzner_robot_webservice_api_unofficial_client.api.ssh_keys import create_ssh_key, delete_ssh_key, list_ssh_keys
from hetzner_robot_webservice_api_unofficial_client.api.subnet import list_subnets
from hetzner_robot_webservice_api_unofficial_client.api.v_switch import (
    add_v_switch_servers,
    cancel_v_switch,
    create_v_switch,
    get_v_switch,
    list_v_switches,
    remove_v_switch_servers,
    update_v_switch,
)
from hetzner_robot_webservice_api_unofficial_client.models import (
    ActivateBootLinuxRequest,
    ActivateBootRescueRequest,
    CancelVSwitchRequest,
    CancelVSwitchRequestCancellationDateType0,
    CreateServerOrderTransactionRequest,
    CreateServerOrderTransactionRequestTest,
    CreateSshKeyRequest,
    CreateVSwitchRequest,
    ExecuteResetRequest,
    ReverseDnsRequest,
    RobotErrorEnvelope,
    ServerCancellationRequest,
    ServerMetadataUpdateRequest,
)

if TYPE_CHECKING:
    from lab.client import RunningLab

ONE, TWO = 321_001, 321_002
ADDRESS = "198.18.0.2"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB ops"
NOW = CancelVSwitchRequest(CancelVSwitchRequestCancellationDateType0.NOW)


@pytest.fixture
def client(lab: "RunningLab") -> Iterator[Client]:
    """The third party's client with the lab's login; a vSwitch takes no time unless a test says so."""
    section = lab.document.robot
    lab.faults.robot.set_switching(0.0)
    arguments = {"auth": httpx.BasicAuth(section.login, section.password)}
    with Client(base_url=section.base_url, raise_on_unexpected_status=True, httpx_args=arguments) as made:
        yield made


class _Servers:
    """A body of ``server[]``; the generated client leaves this one to its caller."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers

    def to_dict(self) -> dict[str, Any]:
        """The form's fields."""
        return {"server[]": list(self._numbers)}


class _Fields:
    """Any other body that the client leaves to its caller."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def to_dict(self) -> dict[str, Any]:
        """The form's fields."""
        return self._fields


def refused(answer: object) -> str:
    """The code of an error answer."""
    assert isinstance(answer, RobotErrorEnvelope)
    return str(answer.error.code)


def test_servers_are_listed_renamed_and_cancelled(client: Client) -> None:
    """One dedicated server for each node of the lab, and those of the pool."""
    names = [item.server.server_name for item in list_servers.sync(client=client)]
    assert names == ["game-1", "bot-1", "cloud-1", "cloud-2", "metal-1", "metal-2"]
    renamed = update_server.sync(ONE, client=client, body=ServerMetadataUpdateRequest("node-7"))
    assert (renamed.server.server_name, renamed.server.reset) == ("node-7", True)
    assert refused(get_server.sync(1, client=client)) == "SERVER_NOT_FOUND"
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).date().isoformat()
    cancelled = cancel_server.sync(ONE, client=client, body=ServerCancellationRequest(tomorrow))
    assert cancelled.cancellation.cancellation_date.isoformat() == tomorrow
    assert get_server.sync(ONE, client=client).server.cancelled is True
    assert withdraw_server_cancellation.sync_detailed(ONE, client=client).status_code == 200
    assert get_server_cancellation.sync(ONE, client=client).cancellation.cancelled is False


def test_a_vswitch_lives_through_all_its_verbs(client: Client) -> None:
    """Made, renamed, servers on and off, cancelled."""
    made = create_v_switch.sync(client=client, body=CreateVSwitchRequest("lan", 4000))
    assert (made.name, made.vlan, made.server) == ("lan", 4000, [])
    assert add_v_switch_servers.sync_detailed(made.id, client=client, body=_Servers(ONE, TWO)).status_code == 200
    assert update_v_switch.sync_detailed(made.id, client=client, body=_Fields(name="x", vlan=4091)).status_code == 200
    assert remove_v_switch_servers.sync_detailed(made.id, client=client, body=_Servers(ONE)).status_code == 200
    shown = get_v_switch.sync(made.id, client=client)
    assert (shown.name, shown.vlan, [server.server_number for server in shown.server]) == ("x", 4091, [TWO])
    assert cancel_v_switch.sync_detailed(made.id, client=client, body=NOW).status_code == 200
    assert list_v_switches.sync(client=client) == []


def test_a_vswitch_is_in_process_for_a_while(client: Client, lab: "RunningLab") -> None:
    """Until the network is done, no further change is taken."""
    lab.faults.robot.set_switching(3600)
    number = create_v_switch.sync(client=client, body=CreateVSwitchRequest("lan", 4000)).id
    add_v_switch_servers.sync_detailed(number, client=client, body=_Servers(ONE))
    assert [server.status for server in get_v_switch.sync(number, client=client).server] == ["in process"]
    busy = add_v_switch_servers.sync(number, client=client, body=_Servers(TWO))
    assert refused(busy) == "VSWITCH_IN_PROCESS"
    lab.faults.robot.advance(3600)
    assert [server.status for server in get_v_switch.sync(number, client=client).server] == ["ready"]


def test_a_vlan_out_of_range_is_refused_by_parameter(client: Client) -> None:
    """4000 to 4091."""
    answer = create_v_switch.sync(client=client, body=CreateVSwitchRequest("lan", 4092))
    assert (refused(answer), answer.error.invalid) == ("INVALID_INPUT", ["vlan"])


def test_reverse_dns_is_written_and_removed(client: Client) -> None:
    """PUT makes, POST makes or changes."""
    assert refused(list_reverse_dns_entries.sync(client=client)) == "NOT_FOUND"
    made = create_reverse_dns_entry.sync_detailed(ADDRESS, client=client, body=ReverseDnsRequest("a.slipway.example"))
    assert made.status_code == 201
    again = create_reverse_dns_entry.sync(ADDRESS, client=client, body=ReverseDnsRequest("b.slipway.example"))
    assert refused(again) == "RDNS_ALREADY_EXISTS"
    upsert_reverse_dns_entry.sync(ADDRESS, client=client, body=ReverseDnsRequest("b.slipway.example"))
    assert get_reverse_dns_entry.sync(ADDRESS, client=client).rdns.ptr == "b.slipway.example"
    delete_reverse_dns_entry.sync_detailed(ADDRESS, client=client)
    assert refused(get_reverse_dns_entry.sync(ADDRESS, client=client)) == "RDNS_NOT_FOUND"


def test_a_server_boots_the_rescue_system_once(client: Client) -> None:
    """Activated, reset, and from the disk again."""
    assert get_boot_rescue_options.sync(ONE, client=client).rescue.os == ["linux", "vkvm"]
    active = activate_boot_rescue.sync(ONE, client=client, body=ActivateBootRescueRequest("linux"))
    assert active.rescue.active is True
    assert active.rescue.password
    assert {"hw", "sw", "man"} == set(list_reset_options.sync(client=client)[0].reset.type_)
    assert execute_server_reset.sync(ONE, client=client, body=ExecuteResetRequest("hw")).reset.type_ == "hw"
    assert get_boot_configuration.sync(ONE, client=client).boot.rescue.active is False
    assert get_last_boot_rescue.sync(ONE, client=client).rescue.password == active.rescue.password
    linux = activate_boot_linux.sync(ONE, client=client, body=ActivateBootLinuxRequest("Debian 13 base", "en"))
    assert linux.linux.active is True
    assert deactivate_boot_linux.sync(ONE, client=client).linux.active is False


def test_keys_addresses_and_firewalls_are_as_the_description_has_them(client: Client) -> None:
    """The client reads every answer into its own models."""
    key = create_ssh_key.sync(client=client, body=CreateSshKeyRequest("ops", KEY))
    assert (key.key.type_, [item.key.name for item in list_ssh_keys.sync(client=client)]) == ("ED25519", ["ops"])
    assert delete_ssh_key.sync_detailed(key.key.fingerprint, client=client).status_code == 200
    assert get_ip_address.sync(ADDRESS, client=client).ip.server_number == ONE
    assert (len(list_ip_addresses.sync(client=client)), len(list_subnets.sync(client=client))) == (6, 6)
    assert get_firewall_configuration.sync(ONE, client=client).firewall.status == "disabled"
    assert clear_firewall_configuration.sync(ONE, client=client).firewall.rules.input_ == []
    assert list_firewall_templates.sync(client=client) == []


def test_an_order_with_test_is_checked_and_not_placed(client: Client) -> None:
    """The answer is that of an order; nothing is kept."""
    assert [item.product.id for item in list_server_market_products.sync(client=client)] == [282323]
    (product,) = list_server_order_products.sync(client=client)
    order = CreateServerOrderTransactionRequest(
        product_id=product.product.id, password="made up", test=CreateServerOrderTransactionRequestTest.TRUE
    )
    placed = create_server_order_transaction.sync(client=client, body=order)
    assert (placed.transaction.status, placed.transaction.server_number) == ("in process", None)
    assert refused(list_server_order_transactions.sync(client=client)) == "NOT_FOUND"


def test_three_failed_logins_lock_the_address_out_for_ten_minutes(client: Client, lab: "RunningLab") -> None:
    """With the right credentials too."""
    stranger = {"auth": httpx.BasicAuth(lab.document.robot.login, "wrong")}
    with Client(base_url=lab.document.robot.base_url, httpx_args=stranger) as other:
        codes = [refused(list_servers.sync(client=other)) for _ in range(3)]
    assert codes == ["UNAUTHORIZED"] * 3
    assert refused(list_servers.sync(client=client)) == "UNAUTHORIZED"
    lab.faults.robot.advance(600)
    assert len(list_servers.sync(client=client)) == 6


def test_a_login_has_so_many_requests_in_an_hour(client: Client, lab: "RunningLab") -> None:
    """The refusal names the number and the interval."""
    lab.faults.robot.set_rate_limit(1)
    list_servers.sync(client=client)
    error = list_servers.sync(client=client)
    assert refused(error) == "RATE_LIMIT_EXCEEDED"
    assert (error.error.max_request, error.error.interval) == (1, 3600)
    lab.faults.robot.advance(3601)
    assert len(list_servers.sync(client=client)) == 6
