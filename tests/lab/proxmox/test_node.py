"""Paths, faults and slow tasks of a node."""

import concurrent.futures
from typing import TYPE_CHECKING

import pytest
import requests
from proxmoxer import ResourceException

if TYPE_CHECKING:
    from lab.client import RunningLab

CLONE = "/nodes/cloud-1/qemu/9000/clone"


def test_a_trailing_slash_deletes_the_guest_all_the_same(lab: "RunningLab") -> None:
    """The provider sends one; without the route it would wait for the guest's absence for ever."""
    entry = next(node for node in lab.document.proxmox.nodes if node.name == "cloud-1")
    lab.truth.node("cloud-1").nodes("cloud-1").qemu(9000).clone.post(newid=1000)
    answer = requests.delete(
        f"{entry.endpoint}/api2/json/nodes/cloud-1/qemu/1000/?purge=1",
        headers={"Authorization": f"PVEAPIToken={entry.api_token}"},
        verify=lab.document.proxmox.ca_file,
        timeout=20,
    )
    assert answer.json()["data"].startswith("UPID:cloud-1:")
    assert lab.truth.guests() == []


def test_an_error_fault_answers_in_proxmox_s_form_and_does_nothing(lab: "RunningLab") -> None:
    """The status, the message, and no guest; then all is well again."""
    lab.faults.proxmox.add("error", where="cloud-1", method="POST", path=CLONE, status=503, message="down", times=1)
    clone = lab.truth.node("cloud-1").nodes("cloud-1").qemu(9000).clone
    with pytest.raises(ResourceException, match=r"503 .*down"):
        clone.post(newid=1000)
    assert lab.truth.guests() == []
    clone.post(newid=1000)
    assert [guest.vmid for guest in lab.truth.guests()] == [1000]


def test_a_fault_of_one_node_leaves_the_others_alone(lab: "RunningLab") -> None:
    """``where`` names the node."""
    lab.faults.proxmox.add("error", where="cloud-2")
    assert lab.truth.node("cloud-1").version.get()
    with pytest.raises(ResourceException):
        lab.truth.node("cloud-2").version.get()


def test_a_lock_fault_words_it_as_proxmox_does(lab: "RunningLab") -> None:
    """The message is the one that a retry rule looks for."""
    lab.faults.proxmox.add("lock", path="*/clone", times=1)
    with pytest.raises(
        ResourceException, match=r"can't lock file '/var/lock/qemu-server/lock-9000\.conf' - got timeout"
    ):
        lab.truth.node("cloud-1").nodes("cloud-1").qemu(9000).clone.post(newid=1000)


@pytest.mark.parametrize(("leave_guest", "left"), [(False, []), (True, [1000])])
def test_a_task_fails_and_cleans_up_unless_told_to_leave_the_guest(
    lab: "RunningLab",
    leave_guest: bool,  # noqa: FBT001 - a parameter of the test
    left: list[int],
) -> None:
    """The request is accepted, the task ends with the message."""
    lab.faults.proxmox.add("task_error", path="qmclone", message="no space", times=1, leave_guest=leave_guest)
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    upid = node.qemu(9000).clone.post(newid=1000)
    assert node.tasks(upid).status.get()["exitstatus"] == "no space"
    assert [guest.vmid for guest in lab.truth.guests()] == left


def test_a_lost_answer_leaves_the_guest_that_was_asked_for(lab: "RunningLab") -> None:
    """The client cannot know whether its request was done; it was."""
    lab.faults.proxmox.add("lose_answer", method="POST", path=CLONE, times=1)
    with pytest.raises(requests.ConnectionError):
        lab.truth.node("cloud-1").nodes("cloud-1").qemu(9000).clone.post(newid=1000)
    assert [guest.vmid for guest in lab.truth.guests()] == [1000]


def test_a_frozen_node_answers_once_the_fault_is_removed(lab: "RunningLab") -> None:
    """Nothing is lost meanwhile."""
    fault = lab.faults.proxmox.add("freeze", where="cloud-1")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(lab.truth.node("cloud-1").version.get)
        while lab.faults.proxmox.all()[0].hits == 0:
            assert not waiting.done()
        lab.faults.proxmox.remove(fault)
        assert waiting.result(20)["release"]


def test_a_slow_task_runs_in_the_background_and_then_has_done_its_work(lab: "RunningLab") -> None:
    """The request is answered while the task still runs; the guest is locked until it ends."""
    lab.faults.proxmox.set_task_delay(3, where="cloud-1")
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    upid = node.qemu(9000).clone.post(newid=1000)
    assert node.tasks(upid).status.get()["status"] == "running"
    assert node.qemu(1000).config.get()["lock"] == "clone"
    while node.tasks(upid).status.get()["status"] == "running":
        pass
    assert node.tasks(upid).status.get()["exitstatus"] == "OK"
    assert "lock" not in node.qemu(1000).config.get()


def test_the_requests_of_a_node_can_be_read(lab: "RunningLab") -> None:
    """For tests that count calls."""
    lab.truth.node("game-1").version.get()
    assert lab.faults.proxmox.requests("game-1") == {"game-1": [["GET", "/api2/json/version"]]}


def test_the_control_address_wants_its_token_and_a_known_node(lab: "RunningLab") -> None:
    """A stranger is refused; a wrong node is named."""
    url = f"{lab.document.proxmox.control_url}/_lab/faults"
    assert requests.get(url, timeout=20).status_code == 401
    with pytest.raises(RuntimeError, match="no node 'mars'; known: game-1, bot-1, cloud-1, cloud-2"):
        lab.faults.proxmox.set_task_delay(1, where="mars")


def test_a_node_can_be_emptied_any_number_of_times(lab: "RunningLab") -> None:
    """What its templates take on the storage is given back each time."""
    for _ in range(80):
        lab.faults.proxmox.reset()
    content = lab.truth.node("game-1").nodes("game-1").storage("local").content.get()
    assert len(content) == 2
    assert lab.truth.node("game-1").nodes("game-1").storage("local").status.get()["avail"] > 40 * 1024**3
