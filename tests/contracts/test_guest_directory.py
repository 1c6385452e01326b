"""What every ``GuestDirectory`` promises: the fake one of the tests, and the real one on the lab's Proxmox VE nodes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer.tools import Tasks

from automation.operations.guests import GuestDirectory, GuestError, GuestFacts, NodeAccess, ProxmoxGuests
from components.specs import WorkloadKind
from tests.fakes.guests import FakeGuests

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.processes

TAGS = ("order-1", "slipway")
KINDS = [WorkloadKind.CLOUD_VM, WorkloadKind.GAME_SERVER]
_TEMPLATE = "local:vztmpl/minecraft-java-1.21_amd64.tar.zst"


@dataclass
class Site:
    """A directory, nodes to ask it about, and a way to place guests there."""

    guests: GuestDirectory
    nodes: dict[WorkloadKind, NodeAccess]
    place: Callable[[WorkloadKind, int, bool], None]
    cut_off: Callable[[], None]


def _fake() -> Site:
    guests = FakeGuests()
    nodes = {
        kind: NodeAccess(f"node-{kind}", "https://node.example:8006", verify_tls=True, api_token="t") for kind in KINDS
    }

    def place(kind: WorkloadKind, vmid: int, running: bool) -> None:  # noqa: FBT001 - the shape of Site.place
        guests.put(nodes[kind].name, GuestFacts(vmid, f"guest-{vmid}", is_running=running, tags=frozenset(TAGS)))

    return Site(guests, nodes, place, lambda: setattr(guests, "is_reachable", False))


def _lab(lab: "RunningLab") -> Site:
    names = {WorkloadKind.CLOUD_VM: "cloud-1", WorkloadKind.GAME_SERVER: "game-1"}
    known = {node.name: node for node in lab.document.proxmox.nodes}
    nodes = {
        kind: NodeAccess(name, known[name].endpoint, verify_tls=False, api_token=known[name].api_token)
        for kind, name in names.items()
    }

    def place(kind: WorkloadKind, vmid: int, running: bool) -> None:  # noqa: FBT001 - the shape of Site.place
        api = lab.truth.node(names[kind])
        node = api.nodes(names[kind])
        if kind is WorkloadKind.CLOUD_VM:
            _finish(api, node.qemu(9000).clone.post(newid=vmid, name=f"guest-{vmid}"))
            guest = node.qemu(vmid)
            guest.config.put(tags=";".join(TAGS))
        else:
            rootfs = {"ostemplate": _TEMPLATE, "rootfs": "local-lvm:8", "tags": ";".join(TAGS)}
            _finish(api, node.lxc.post(vmid=vmid, hostname=f"guest-{vmid}", **rootfs))
            guest = node.lxc(vmid)
        if running:
            _finish(api, guest.status.start.post())

    return Site(ProxmoxGuests(), nodes, place, lambda: _break(lab))


def _finish(api: Any, task: str) -> None:
    assert Tasks.blocking_status(api, task, timeout=20, polling_interval=0.05)["exitstatus"] == "OK"


def _break(lab: "RunningLab") -> None:
    lab.faults.proxmox.add("error", status=595, message="no route to host")


@pytest.fixture(params=["fake", "proxmox"])
def site(request: pytest.FixtureRequest) -> Site:
    """Return each implementation in turn."""
    return _fake() if request.param == "fake" else _lab(request.getfixturevalue("lab"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("running", [True, False])
def test_a_guest_is_described_as_it_is(site: Site, kind: WorkloadKind, running: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Number, name, power and tags, for virtual machines and containers."""
    site.place(kind, 1001, running)
    assert site.guests.find(site.nodes[kind], 1001) == GuestFacts(1001, "guest-1001", running, frozenset(TAGS))


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_that_is_not_there_is_not_found(site: Site, kind: WorkloadKind) -> None:
    """Absence is an answer and no error."""
    site.place(kind, 1001, True)  # noqa: FBT003 - the shape of Site.place
    assert site.guests.find(site.nodes[kind], 1002) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_reboot_has_ended_when_it_returns(site: Site, kind: WorkloadKind) -> None:
    """The guest runs again, so that nobody takes it for stopped."""
    site.place(kind, 1001, True)  # noqa: FBT003 - the shape of Site.place
    site.guests.reboot(site.nodes[kind], 1001, kind)
    facts = site.guests.find(site.nodes[kind], 1001)
    assert facts is not None
    assert facts.is_running


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_run_cannot_be_rebooted(site: Site, kind: WorkloadKind) -> None:
    """The error names the node."""
    site.place(kind, 1001, False)  # noqa: FBT003 - the shape of Site.place
    with pytest.raises(GuestError, match=site.nodes[kind].name):
        site.guests.reboot(site.nodes[kind], 1001, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("running", [True, False])
def test_a_guest_shuts_itself_down_when_it_is_asked_to(site: Site, kind: WorkloadKind, running: bool) -> None:  # noqa: FBT001 - pytest passes it
    """It is off when the call returns, and asking one that is off already is no error."""
    site.place(kind, 1001, running)
    assert site.guests.shut_down(site.nodes[kind], 1001, kind)
    facts = site.guests.find(site.nodes[kind], 1001)
    assert facts is not None
    assert not facts.is_running


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("running", [True, False])
def test_the_list_describes_a_guest_as_it_is(site: Site, kind: WorkloadKind, running: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Number, name, power and tags, as a look at the guest alone would tell; it is no template and not locked."""
    site.place(kind, 1001, running)
    (listed,) = [guest for guest in site.guests.listing(site.nodes[kind]) if guest.vmid == 1001]
    assert (listed.name, listed.is_running, listed.tags) == ("guest-1001", running, frozenset(TAGS))
    assert (listed.is_template, listed.lock) == (False, "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("running", [True, False])
def test_a_guest_that_bears_the_tag_is_removed(site: Site, kind: WorkloadKind, running: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Running or not, it is gone when the call returns; asking for one that is gone is no error."""
    site.place(kind, 1001, running)
    assert site.guests.remove(site.nodes[kind], 1001, "slipway")
    assert site.guests.find(site.nodes[kind], 1001) is None
    assert site.guests.remove(site.nodes[kind], 1001, "slipway")


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_without_the_tag_is_never_removed(site: Site, kind: WorkloadKind) -> None:
    """It may have become somebody else's since it was listed."""
    site.place(kind, 1001, True)  # noqa: FBT003 - the shape of Site.place
    assert not site.guests.remove(site.nodes[kind], 1001, "somebody-elses")
    assert site.guests.find(site.nodes[kind], 1001) is not None


def test_a_node_that_does_not_answer_is_not_taken_for_an_empty_one(site: Site) -> None:
    """The error names the node, and is not the word that the guest is gone."""
    node = site.nodes[WorkloadKind.CLOUD_VM]
    site.place(WorkloadKind.CLOUD_VM, 1001, True)  # noqa: FBT003 - the shape of Site.place
    site.cut_off()
    with pytest.raises(GuestError, match=f"node {node.name} did not answer"):
        site.guests.find(node, 1001)
    with pytest.raises(GuestError, match=f"node {node.name} "):
        site.guests.reboot(node, 1001, WorkloadKind.CLOUD_VM)
    with pytest.raises(GuestError, match=f"node {node.name} did not answer"):
        site.guests.listing(node)
    with pytest.raises(GuestError, match=f"node {node.name} did not"):
        site.guests.remove(node, 1001, "slipway")
    with pytest.raises(GuestError, match=f"node {node.name} did not answer"):
        site.guests.shut_down(node, 1001, WorkloadKind.CLOUD_VM)


def test_a_refused_connection_is_an_error_that_names_the_node(lab: "RunningLab") -> None:
    """Nobody listens there."""
    nobody = replace(_lab(lab).nodes[WorkloadKind.CLOUD_VM], endpoint="https://127.0.0.1:1")
    with pytest.raises(GuestError, match=r"cloud-1 did not answer: ConnectionError"):
        ProxmoxGuests().find(nobody, 1001)


def test_the_list_tells_the_size_of_each_kind_of_guest(lab: "RunningLab") -> None:
    """Cores, memory and disk, and which guest is a template, on the lab's nodes; templates of containers are files."""
    site = _lab(lab)
    for kind in KINDS:
        site.place(kind, 1001, False)  # noqa: FBT003 - the shape of Site.place
    cloud = {guest.vmid: guest for guest in site.guests.listing(site.nodes[WorkloadKind.CLOUD_VM])}
    (game,) = site.guests.listing(site.nodes[WorkloadKind.GAME_SERVER])
    assert (cloud[1001].kind, cloud[1001].cores, cloud[1001].memory_mib, cloud[1001].disk_gib) == ("qemu", 1, 1024, 3)
    assert (game.kind, game.cores, game.memory_mib, game.disk_gib) == ("lxc", 1, 512, 8)
    assert cloud[9000].is_template
    assert not cloud[1001].is_template


def test_no_error_holds_the_nodes_credentials(lab: "RunningLab") -> None:
    """A wrong token is refused in words that are fit for a log."""
    node = _lab(lab).nodes[WorkloadKind.CLOUD_VM]
    stranger = replace(node, api_token="slipway@pve!lab=00000000-0000-4000-8000-000000000000")
    with pytest.raises(GuestError) as caught:
        ProxmoxGuests().find(stranger, 1001)
    assert "00000000" not in str(caught.value)
    assert "00000000" not in repr(stranger)
