"""Actions in time, changes that are whole or not at all, and what outlives a run."""

import pytest

from lab.faults.rules import Fault, FaultKind, FaultTable
from lab.hcloud.desk import Desk
from lab.hcloud.errors import ApiError
from lab.hcloud.project import Item, Project, World

SERVER = {"name": "one", "server_type": "cx23", "image": "debian-13", "location": "fsn1"}


class Rig:
    """A project whose clock a test sets; actions take ten seconds."""

    def __init__(self, *faults: Fault) -> None:
        self.now = 0.0
        self.faults = FaultTable()
        for fault in faults:
            self.faults.add(fault)
        self.project = Project(World(lambda: self.now, self.faults, delay=10.0))
        self.desk = Desk(self.project)

    def at(self, now: float) -> None:
        """Have it be so late."""
        self.now = now
        self.project.settle()

    def server(self) -> Item:
        """The one server as the API shows it."""
        (item,) = self.desk.list("servers", {})["servers"]
        return dict(item)


def test_a_server_is_initializing_and_locked_until_its_action_has_ended() -> None:
    """To the second."""
    rig = Rig()
    made = rig.desk.create("servers", SERVER)
    rig.at(9.9)
    assert (rig.server()["status"], rig.server()["locked"]) == ("initializing", True)
    with pytest.raises(ApiError) as caught:
        rig.desk.act("servers", str(made["server"]["id"]), "poweroff", {})
    assert caught.value.code == "locked"
    rig.at(10.0)
    assert (rig.server()["status"], rig.server()["locked"]) == ("running", False)
    ended = rig.desk.get("actions", str(made["action"]["id"]))["action"]
    assert (ended["status"], ended["progress"], ended["finished"]) == ("success", 100, "1970-01-01T00:00:10Z")


def test_an_action_that_is_stuck_ends_once_the_fault_is_gone() -> None:
    """And not before, however late it is."""
    fault = Fault(kind=FaultKind.TASK_STUCK, path="create_server")
    rig = Rig(fault)
    rig.desk.create("servers", SERVER)
    rig.at(1000.0)
    assert rig.server()["status"] == "initializing"
    rig.faults.remove(fault.id)
    rig.at(1000.0)
    assert rig.server()["status"] == "running"


def test_a_server_whose_making_fails_is_gone_when_the_action_ends() -> None:
    """Until then it is there, as it is in the real API."""
    rig = Rig(Fault(kind=FaultKind.TASK_ERROR, path="create_server", message="no host left"))
    made = rig.desk.create("servers", SERVER)
    assert rig.server()["name"] == "one"
    rig.at(10.0)
    assert rig.desk.list("servers", {})["servers"] == []
    assert rig.desk.get("actions", str(made["action"]["id"]))["action"]["error"]["message"] == "no host left"


def test_a_request_that_is_refused_half_way_leaves_nothing() -> None:
    """Neither the server, nor its addresses, nor an action."""
    rig = Rig()
    with pytest.raises(ApiError) as caught:
        rig.desk.create("servers", {**SERVER, "networks": [4711]})
    assert caught.value.code == "not_found"
    assert (rig.desk.list("servers", {})["servers"], rig.desk.list("primary_ips", {})["primary_ips"]) == ([], [])
    assert rig.desk.list("actions", {})["actions"] == []


def test_every_wrong_field_of_a_request_is_named() -> None:
    """In the details, as clients expect them."""
    with pytest.raises(ApiError) as caught:
        Rig().desk.create("volumes", {"name": "", "size": 1})
    assert {field["name"] for field in caught.value.details["fields"]} == {"name", "size"}


def test_addresses_in_a_network_are_given_once() -> None:
    """Neither the gateway's, nor one that is taken, nor one of no subnet."""
    rig = Rig()
    subnet = {"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.0.0/29"}
    network = rig.desk.create("networks", {"name": "n", "ip_range": "10.0.0.0/24", "subnets": [subnet]})["network"]
    ids = []
    for name in ("a", "b"):
        made = rig.desk.create("servers", {**SERVER, "name": name, "networks": [network["id"]]})["server"]
        ids.append(str(made["id"]))
    found = [server["private_net"][0]["ip"] for server in rig.desk.list("servers", {})["servers"]]
    assert found == ["10.0.0.2", "10.0.0.3"]
    rig.at(10.0)
    rig.desk.act("servers", ids[0], "detach_from_network", {"network": network["id"]})
    rig.at(20.0)
    for ip in ("10.0.0.1", "10.0.0.3", "10.0.0.9", "10.0.0.7"):
        with pytest.raises(ApiError) as caught:
            rig.desk.act("servers", ids[0], "attach_to_network", {"network": network["id"], "ip": ip})
        assert caught.value.code == "ip_not_available"


def test_an_action_on_a_network_that_changes_answers_conflict() -> None:
    """Which clients try again, unlike ``locked``."""
    rig = Rig()
    network = str(rig.desk.create("networks", {"name": "n", "ip_range": "10.0.0.0/24"})["network"]["id"])
    rig.desk.act("networks", network, "add_route", {"destination": "10.1.0.0/16", "gateway": "10.0.0.9"})
    with pytest.raises(ApiError) as caught:
        rig.desk.act("networks", network, "add_route", {"destination": "10.2.0.0/16", "gateway": "10.0.0.9"})
    assert (caught.value.code, caught.value.status) == ("conflict", 409)


def test_a_default_route_stands_in_nobodys_way() -> None:
    """It covers everything, and other routes and subnets come before and after it."""
    rig = Rig()
    network = str(rig.desk.create("networks", {"name": "n", "ip_range": "10.0.0.0/16"})["network"]["id"])
    for at, (action, body) in enumerate(
        [
            ("add_route", {"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}),
            ("add_route", {"destination": "10.1.0.0/16", "gateway": "10.0.1.2"}),
            ("add_subnet", {"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.1.0/24"}),
        ]
    ):
        rig.at(10.0 * (at + 1))
        rig.desk.act("networks", network, action, body)
    rig.at(50.0)
    with pytest.raises(ApiError, match="has a route already"):
        rig.desk.act("networks", network, "add_route", {"destination": "0.0.0.0/0", "gateway": "10.0.1.3"})
