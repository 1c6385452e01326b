"""The official ``hcloud`` SDK drives the stand-in as it would drive Hetzner Cloud."""

from typing import TYPE_CHECKING, Any

import hcloud
import pytest
import requests
from hcloud.actions.domain import ActionFailedException
from hcloud.firewalls.domain import FirewallResource, FirewallRule
from hcloud.images.domain import Image
from hcloud.load_balancer_types.domain import LoadBalancerType
from hcloud.load_balancers.domain import (
    LoadBalancerHealthCheck,
    LoadBalancerService,
    LoadBalancerTarget,
    LoadBalancerTargetLabelSelector,
)
from hcloud.locations.domain import Location
from hcloud.networks.domain import NetworkRoute, NetworkSubnet
from hcloud.server_types.domain import ServerType
from hcloud.servers.client import BoundServer

from lab.truth import hcloud_client
from tests.fakes.certificates import self_signed, ssh_key

if TYPE_CHECKING:
    from lab.client import RunningLab

SMALL, DEBIAN, FALKENSTEIN = ServerType(name="cx23"), Image(name="debian-13"), Location(name="fsn1")
SUBNET = NetworkSubnet(type="cloud", ip_range="10.0.1.0/24", network_zone="eu-central")


@pytest.fixture
def client(lab: "RunningLab") -> hcloud.Client:
    """The SDK with the token of the provider's own project."""
    return lab.truth.hcloud


def server(client: hcloud.Client, name: str = "one", **more: Any) -> BoundServer:
    """A server that runs."""
    made = client.servers.create(name, SMALL, DEBIAN, location=FALKENSTEIN, **more)
    for action in (made.action, *made.next_actions):
        action.wait_until_finished()
    return client.servers.get_by_id(made.server.id)


def code_of(caught: pytest.ExceptionInfo[hcloud.APIException]) -> str:
    """The API's code of an error."""
    return str(caught.value.code)


def test_a_server_lives_through_power_network_volume_and_delete(client: hcloud.Client) -> None:
    """Every state is what the API says, and what it does not own stays behind it."""
    network = client.networks.create("private", "10.0.0.0/16", subnets=[SUBNET])
    key = client.ssh_keys.create("admin", ssh_key("admin"))
    one = server(client, ssh_keys=[key], networks=[network], labels={"role": "edge"})
    assert (one.status, one.private_net[0].ip, one.location.name) == ("running", "10.0.1.1", "fsn1")
    one.shutdown().wait_until_finished()
    assert client.servers.get_by_id(one.id).status == "off"
    one.power_on().wait_until_finished()
    made = client.volumes.create(10, "data", server=one, format="ext4")
    made.action.wait_until_finished()
    assert [volume.id for volume in client.servers.get_by_id(one.id).volumes] == [made.volume.id]
    made.volume.resize(20).wait_until_finished()
    address = one.public_net.primary_ipv4
    one.delete().wait_until_finished()
    assert client.servers.get_by_name("one") is None
    kept = client.volumes.get_by_id(made.volume.id)
    assert (kept.server, kept.size) == (None, 20)
    assert client.networks.get_by_id(network.id).servers == []
    assert address.id not in {ip.id for ip in client.primary_ips.get_all()}


def test_a_primary_ip_that_is_not_the_servers_own_outlives_it(client: hcloud.Client) -> None:
    """``auto_delete`` says which; and a server that runs gives none away."""
    made = client.primary_ips.create("ipv4", "fixed", location=FALKENSTEIN, auto_delete=False)
    net = hcloud.servers.domain.ServerCreatePublicNetwork(ipv4=made.primary_ip, enable_ipv6=False)
    one = server(client, public_net=net)
    assert one.public_net.ipv4.ip == made.primary_ip.ip
    with pytest.raises(hcloud.APIException) as caught:
        made.primary_ip.unassign()
    assert code_of(caught) == "server_not_stopped"
    made.primary_ip.change_dns_ptr(made.primary_ip.ip, "mx.slipway.example").wait_until_finished()
    one.delete()
    (left,) = client.primary_ips.get_all()
    assert (left.id, left.assignee_id, left.dns_ptr[0]["dns_ptr"]) == (made.primary_ip.id, None, "mx.slipway.example")


def test_a_floating_ip_moves_from_server_to_server(client: hcloud.Client) -> None:
    """As fail-over does it."""
    one, two = server(client), server(client, "two")
    made = client.floating_ips.create("ipv4", name="front", server=one)
    made.floating_ip.assign(two).wait_until_finished()
    assert client.floating_ips.get_by_id(made.floating_ip.id).server.id == two.id
    two.delete()
    assert client.floating_ips.get_by_id(made.floating_ip.id).server is None


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"ip_range": "11.0.0.0/16"}, "RFC 1918"),
        ({"ip_range": "10.0.0.0/25"}, "smaller"),
        ({"ip_range": "10.0.0.1/16"}, "not an IPv4 range"),
        ({"ip_range": "10.2.0.0/16", "subnets": [SUBNET]}, "not inside"),
        ({"ip_range": "10.0.0.0/16", "subnets": [SUBNET, SUBNET]}, "overlaps"),
        ({"ip_range": "10.0.0.0/16", "labels": {"-": "x"}}, "label key"),
        (
            {"ip_range": "10.0.0.0/16", "routes": [NetworkRoute("10.0.1.0/24", "10.0.1.2")], "subnets": [SUBNET]},
            "overl",
        ),
    ],
)
def test_a_network_that_cannot_be_is_refused_whole(client: hcloud.Client, wanted: dict[str, Any], message: str) -> None:
    """The field is named and nothing is left behind."""
    with pytest.raises(hcloud.APIException) as caught:
        client.networks.create("private", **wanted)
    assert code_of(caught) == "invalid_input"
    assert message in str(caught.value.details["fields"])
    assert client.networks.get_all() == []


def test_subnets_of_every_type_and_what_keeps_them(client: hcloud.Client) -> None:
    """A vSwitch belongs to one network; a subnet with somebody in it stays; a network lets go of its members."""
    network = client.networks.create("private", "10.0.0.0/16", subnets=[SUBNET])
    coupled = NetworkSubnet(type="vswitch", ip_range="10.0.2.0/24", network_zone="eu-central", vswitch_id=4711)
    network.add_subnet(coupled).wait_until_finished()
    other = client.networks.create("other", "10.0.0.0/16")
    with pytest.raises(hcloud.APIException) as caught:
        other.add_subnet(coupled)
    assert code_of(caught) == "vswitch_id_already_used"
    one = server(client, networks=[network])
    (member,) = network.get_member_list(type=["server"]).members
    assert (member.id, member.ip, member.subnet, member.status) == (one.id, "10.0.1.1", "10.0.1.0/24", "ok")
    with pytest.raises(hcloud.APIException) as caught:
        network.delete_subnet(SUBNET)
    assert code_of(caught) == "service_error"
    with pytest.raises(hcloud.APIException) as caught:
        one.attach_to_network(other)
    assert code_of(caught) == "networks_overlap"
    network.change_protection(delete=True).wait_until_finished()
    with pytest.raises(hcloud.APIException) as caught:
        network.delete()
    assert code_of(caught) == "protected"
    network.change_protection(delete=False).wait_until_finished()
    network.delete()
    assert client.servers.get_by_id(one.id).private_net == []


def test_a_firewall_holds_by_server_and_by_label_and_cannot_go_while_it_does(client: hcloud.Client) -> None:
    """Servers that get the label later are under it too."""
    one = server(client)
    rule = FirewallRule("in", "tcp", ["0.0.0.0/0"], port="22")
    by_id = FirewallResource("server", server=one)
    by_label = FirewallResource(
        "label_selector", label_selector=hcloud.firewalls.domain.FirewallResourceLabelSelector("role in (edge, vpn)")
    )
    made = client.firewalls.create("admin", [rule], resources=[by_id, by_label])
    two = server(client, "two", labels={"role": "vpn"})
    assert [entry.firewall.id for entry in two.public_net.firewalls] == [made.firewall.id]
    with pytest.raises(hcloud.APIException) as caught:
        made.firewall.delete()
    assert code_of(caught) == "resource_in_use"
    for action in made.firewall.remove_from_resources([by_id, by_label]):
        action.wait_until_finished()
    assert client.servers.get_by_id(two.id).public_net.firewalls == []
    assert made.firewall.delete()


def test_a_load_balancer_checks_its_targets_and_holds_its_certificate(client: hcloud.Client) -> None:
    """A target that is off is unhealthy; the certificate cannot go."""
    one = server(client, labels={"role": "web"})
    certificate = client.certificates.create("edge", *self_signed("slipway.example"))
    check = LoadBalancerHealthCheck(protocol="tcp", port=80, interval=10, timeout=5, retries=2)
    http = hcloud.load_balancers.domain.LoadBalancerServiceHttp(certificates=[certificate])
    service = LoadBalancerService("https", 443, 80, proxyprotocol=False, health_check=check, http=http)
    target = LoadBalancerTarget("label_selector", label_selector=LoadBalancerTargetLabelSelector("role=web"))
    made = client.load_balancers.create(
        "edge", LoadBalancerType(name="lb11"), location=FALKENSTEIN, services=[service], targets=[target]
    )
    made.action.wait_until_finished()

    def health() -> list[str]:
        (shown,) = client.load_balancers.get_by_id(made.load_balancer.id).targets
        return [entry.status for inner in shown.targets for entry in inner.health_status]

    assert health() == ["healthy"]
    one.power_off().wait_until_finished()
    assert health() == ["unhealthy"]
    with pytest.raises(hcloud.APIException) as caught:
        certificate.delete()
    assert code_of(caught) == "resource_in_use"
    with pytest.raises(hcloud.APIException) as caught:
        made.load_balancer.add_service(service)
    assert code_of(caught) == "source_port_already_used"


def test_a_load_balancer_lives_through_change_of_service_type_and_name(client: hcloud.Client) -> None:
    """What is not given stays; at the end its deletion is an action."""
    made = client.load_balancers.create("edge", LoadBalancerType(name="lb11"), location=FALKENSTEIN)
    made.action.wait_until_finished()
    balancer = made.load_balancer
    balancer.add_service(LoadBalancerService("tcp", 6000, 6000, proxyprotocol=True)).wait_until_finished()
    changed = LoadBalancerService(protocol="http", listen_port=6000, destination_port=81)
    balancer.update_service(changed).wait_until_finished()
    balancer.change_type(LoadBalancerType(name="lb21")).wait_until_finished()
    balancer.update(name="front", labels={"a": "b"})
    balancer.reload()
    (service,) = balancer.services
    assert (service.protocol, service.destination_port, service.proxyprotocol) == ("http", 81, True)
    assert (balancer.name, balancer.labels, balancer.load_balancer_type.name) == ("front", {"a": "b"}, "lb21")
    balancer.delete().action.wait_until_finished()
    assert client.load_balancers.get_all() == []


def test_a_managed_certificate_is_pending_until_it_is_issued(client: hcloud.Client, lab: "RunningLab") -> None:
    """If issuing fails it says so, and can be tried again."""
    with lab.faults.hcloud.during("task_error", path="create_certificate"):
        made = client.certificates.create_managed("edge", ["slipway.example"])
        assert made.certificate.status.issuance == "pending"
        with pytest.raises(ActionFailedException):
            made.action.wait_until_finished()
    assert client.certificates.get_by_id(made.certificate.id).status.issuance == "failed"
    made.certificate.retry_issuance().wait_until_finished()
    issued = client.certificates.get_by_id(made.certificate.id)
    assert (issued.status.issuance, "BEGIN CERTIFICATE" in issued.certificate) == ("completed", True)


def test_an_action_that_fails_changes_nothing(client: hcloud.Client, lab: "RunningLab") -> None:
    """A server that could not be made is gone, or stays half made if it is to; a change is as if never asked for."""
    with lab.faults.hcloud.during("task_error", path="create_server", message="no host left"):
        made = client.servers.create("one", SMALL, DEBIAN)
        with pytest.raises(ActionFailedException, match="no host left"):
            made.action.wait_until_finished()
    assert client.servers.get_all() == []
    with lab.faults.hcloud.during("task_error", path="create_server", leave_guest=True):
        made = client.servers.create("two", SMALL, DEBIAN)
    assert [half.status for half in client.servers.get_all()] == ["initializing"]
    volume = client.volumes.create(10, "data", location=FALKENSTEIN).volume
    with lab.faults.hcloud.during("task_error", path="resize_volume"), pytest.raises(ActionFailedException):
        volume.resize(20).wait_until_finished()
    assert client.volumes.get_by_id(volume.id).size == 10


def test_an_action_that_is_stuck_locks_its_server_which_is_found_by_name_and_label(
    client: hcloud.Client, lab: "RunningLab"
) -> None:
    """Who lost the answer finds server and action, and goes on when it ends."""
    with lab.faults.hcloud.during("task_stuck", path="create_server"):
        client.servers.create("one", SMALL, DEBIAN, labels={"operation": "op-1"})
        (found,) = client.servers.get_all(label_selector="operation==op-1")
        assert (found.name, found.status, found.locked) == ("one", "initializing", True)
        (action,) = client.servers.get_actions(found, status=["running"])
        with pytest.raises(hcloud.APIException) as caught:
            found.delete()
        assert code_of(caught) == "locked"
        with pytest.raises(hcloud.APIException) as caught:
            client.servers.create("one", SMALL, DEBIAN)
        assert code_of(caught) == "uniqueness_error"
    client.actions.get_by_id(action.id).wait_until_finished()
    assert client.servers.get_by_id(found.id).status == "running"


def test_an_answer_lost_half_way_leaves_the_resource(client: hcloud.Client, lab: "RunningLab") -> None:
    """The connection breaks after the work is done."""
    lab.faults.hcloud.add("lose_answer", method="POST", path="/v1/networks")
    with pytest.raises(requests.exceptions.RequestException):
        client.networks.create("private", "10.0.0.0/16", labels={"operation": "op-2"})
    assert [network.name for network in client.networks.get_all(label_selector="operation=op-2")] == ["private"]


def test_the_budget_of_a_token_is_told_and_kept(client: hcloud.Client, lab: "RunningLab") -> None:
    """Each answer has the three headers; the spent token gets 429, another one does not."""
    section = lab.document.hcloud
    lab.faults.hcloud.set_rate_limit(2)

    def ask(project: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {section.tokens[project]}"}
        return requests.get(f"{section.base_url}/locations", headers=headers, timeout=10)

    answers = [ask("slipway") for _ in range(3)]
    assert [(answer.status_code, answer.headers["RateLimit-Remaining"]) for answer in answers] == [
        (200, "1"),
        (200, "0"),
        (429, "0"),
    ]
    assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"
    assert answers[2].headers["RateLimit-Limit"] == "2"
    assert ask("stranger").status_code == 200
    lab.faults.hcloud.set_rate_limit()
    assert client.locations.get_all()[0].name == "fsn1"


def test_projects_do_not_see_each_other(client: hcloud.Client, lab: "RunningLab") -> None:
    """The same name twice, somebody else's id, and a token that nobody has."""
    stranger = hcloud_client(lab.document.hcloud, "stranger")
    theirs = stranger.networks.create("private", "10.0.0.0/16")
    client.networks.create("private", "10.0.0.0/16")
    with pytest.raises(hcloud.APIException) as caught:
        client.networks.get_by_id(theirs.id)
    assert code_of(caught) == "not_found"
    unknown = hcloud.Client("0" * 64, api_endpoint=lab.document.hcloud.base_url)
    with pytest.raises(hcloud.APIException) as caught:
        unknown.networks.get_all()
    assert code_of(caught) == "unauthorized"


def test_lists_are_paged_sorted_and_filtered(client: hcloud.Client) -> None:
    """The SDK turns pages by ``meta.pagination``; 50 is the most on one."""
    for index in range(53):
        client.placement_groups.create(f"g{index:02}", "spread", labels={"even": str(index % 2 == 0).lower()})
    assert len(client.placement_groups.get_all()) == 53
    page = client.placement_groups.get_list(page=2, per_page=50, sort=["name:desc"])
    assert [group.name for group in page.placement_groups] == ["g02", "g01", "g00"]
    assert (page.meta.pagination.last_page, page.meta.pagination.total_entries) == (2, 53)
    assert len(client.placement_groups.get_all(label_selector="even!=true")) == 26
    found = client.placement_groups.get_by_name("g07")
    assert found is not None
    with pytest.raises(hcloud.APIException) as caught:
        client.placement_groups.create("g07", "spread")
    assert code_of(caught) == "uniqueness_error"


def test_what_is_offered_is_what_the_sdk_reads(client: hcloud.Client) -> None:
    """Types, images, media and prices; nothing that was removed."""
    assert {kind.architecture for kind in client.server_types.get_all()} == {"x86", "arm"}
    assert client.images.get_by_name_and_architecture("debian-13", "arm") is not None
    assert client.isos.get_all()[0].name.startswith("proxmox-ve")
    assert client.load_balancer_types.get_by_name("lb11") is not None
    with pytest.raises(hcloud.APIException) as caught:
        client._client.request(method="GET", url="/datacenters")
    assert code_of(caught) == "deprecated_api_endpoint"
