"""How a server at Robot gets into the deployer: by its rescue system, over SSH, with a key of this start only."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import asyncssh
import httpx
import pytest
import tenacity

from components.installation.errors import InstallationError, RescueSilentError
from components.installation.shell import Ended, Place, Shell
from components.robot.budget import RequestBudget
from components.robot.client import Robot
from components.robot.keys import Keys
from components.specs.robot_key import RobotKeySpec
from pxe.errors import BmcFailed
from pxe.obedience import MachinePower
from pxe.power.driver import Driver
from pxe.power.errors import BadBmcSettings, BmcBusy, NotOffered, PowerDisobeyed, PowerError
from pxe.power.interfaces import PowerState
from pxe.power.provisioning import Provisioning
from pxe.power.robot_driver import robot_driver
from pxe.power.robot_start import JUMP, SCRIPT, enter_by_ssh
from pxe.power.settings import BmcKind, BmcSettings
from tests.fakes.certificates import ssh_key
from tests.fixtures.bmc_rigs import BRISK, ON_VSWITCH

if TYPE_CHECKING:
    from lab.client import RunningLab

NUMBER = 321_001
LOAD = "sh -s -- 52:54:00:00:00:01 4001 10.20.0.10/24 http://10.20.0.1:8080"
_TO_BE_SEEN = 5.0
"""Seconds in which somebody has answered and shown a host key, on a busy computer, too."""
soon = tenacity.Retrying(stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(0.05), reraise=True)


class DiedError(Exception):
    """The worker was killed."""


@dataclass
class Listening:
    """A shell that keeps what it is told to run, and answers some of it itself.

    Attributes:
        answers: by how a command begins: what it ends with, or what it raises, instead of being run.
        dies: at which command the worker dies, before it is run.
    """

    shell: Shell
    commands: list[tuple[str, str]]
    answers: dict[str, Ended | InstallationError]
    dies: str

    def run(self, command: str, stdin: str = "") -> Ended:
        """See ``Shell``."""
        if self.dies and command.startswith(self.dies):
            raise DiedError
        for beginning, answer in self.answers.items():
            if command.startswith(beginning):
                if isinstance(answer, Ended):
                    return answer
                raise answer
        ended = self.shell.run(command, stdin)
        self.commands.append((command, stdin))
        return ended


@dataclass
class Site:
    """A server at the lab's Robot, and whoever starts it."""

    lab: "RunningLab"
    http: httpx.Client
    commands: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, Ended | InstallationError] = field(default_factory=dict)
    dies: str = ""
    host_keys: frozenset[str] | None = None
    keys_seen: list[asyncssh.SSHKey] = field(default_factory=list)

    def driver(self, rescue: float = 10.0, place: Callable[[], Provisioning] = lambda: ON_VSWITCH) -> Driver:
        """A driver that waits so long for a rescue system."""
        robot = Robot(self.http, RequestBudget(lambda: 0.0), lambda _seconds: None)
        return robot_driver(robot, NUMBER, replace(BRISK, rescue=rescue), place=place, enter=self._enter)

    def _enter(self, place: Place, key: asyncssh.SSHKey) -> Shell:
        self.keys_seen.append(key)
        known = place.host_keys if self.host_keys is None else self.host_keys
        port = self.lab.document.rescue.ports[self.machine["name"]]
        shell = enter_by_ssh(Place("127.0.0.1", port, known), key)
        return Listening(shell, self.commands, self.answers, self.dies)

    @property
    def machine(self) -> dict[str, Any]:
        """The server as hardware."""
        return self.lab.faults.robot.machines()[NUMBER]

    def sent(self) -> list[str]:
        """What Robot was asked."""
        return [f"{method} {path}" for method, path, _good in self.lab.faults.robot.requests()]

    def is_clean(self) -> bool:
        """Whether Robot has neither a key nor a rescue system that would be booted."""
        boot = self.http.get(f"/boot/{NUMBER}/rescue").json()["rescue"]
        return self.http.get("/key").status_code == 404 and not boot["active"]

    def members(self) -> list[int]:
        """Who is on the provisioning vSwitch."""
        (switch,) = self.http.get("/vswitch").json()
        return [server["server_number"] for server in self.http.get(f"/vswitch/{switch['id']}").json()["server"]]

    def comes_up(self) -> None:
        """Wait until the deployer runs."""
        soon(self._is_up)

    def _is_up(self) -> None:
        assert self.machine["runs"] == "deployer"


@pytest.fixture
def site(lab: "RunningLab") -> Iterator[Site]:
    """A server of an account with a provisioning vSwitch on which nobody is."""
    section = lab.document.robot
    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as http:
        http.post("/vswitch", data={"name": "provisioning", "vlan": "4001"}).raise_for_status()
        yield Site(lab, http)


def test_the_rescue_system_starts_what_the_boot_service_has_for_this_card(site: Site) -> None:
    """It is told where to ask and as whom; the worker has no token, and Robot nothing that is left."""
    site.driver().deployer.start()
    site.comes_up()
    assert site.machine["deployer"] == ["52:54:00:00:00:01", "4001", "10.20.0.10/24", "http://10.20.0.1:8080"]
    assert [command for command, _ in site.commands] == ["true", LOAD, JUMP]
    assert site.commands[1][1] == SCRIPT.read_text()
    assert site.is_clean()
    assert site.members() == [NUMBER]


def test_each_start_has_a_key_of_its_own(site: Site) -> None:
    """It is in memory only: what Robot was sent is the public half, and that is forgotten."""
    driver = site.driver()
    driver.deployer.start()
    first = site.keys_seen[-1]
    driver.deployer.start()
    assert first.get_fingerprint() != site.keys_seen[-1].get_fingerprint()
    assert site.sent().count("POST /key") == 2
    assert len([line for line in site.sent() if line.startswith("DELETE /key/")]) == 2


def test_what_ran_before_the_reset_is_never_on_the_vswitch(site: Site) -> None:
    """It may be a customer's, who could listen or speak for another machine."""
    site.driver().deployer.start()
    sent = site.sent()
    joined = next(index for index, line in enumerate(sent) if re.fullmatch(r"POST /vswitch/\d+/server", line))
    assert sent.index(f"POST /reset/{NUMBER}") < joined


@pytest.mark.parametrize("command", ["true", "sh -s", JUMP])
def test_a_start_whose_worker_died_is_begun_anew(site: Site, command: str) -> None:
    """Another reset, another key; nothing of the first is left."""
    site.dies = command
    with pytest.raises(DiedError):
        site.driver().deployer.start()
    site.dies = ""
    site.driver().deployer.start()
    site.comes_up()
    assert site.sent().count(f"POST /reset/{NUMBER}") == 2
    assert site.is_clean()


def test_the_key_that_a_killed_worker_left_is_forgotten(site: Site) -> None:
    """Nobody has its private half any more; keys of others stay."""
    robot = Robot(site.http, RequestBudget(lambda: 0.0), lambda _seconds: None)
    for name, data in (("slipway deployment 321001", "left"), ("ops", "a person's")):
        Keys(robot).ensure(RobotKeySpec(name=name, data=ssh_key(data)))
    site.driver().deployer.start()
    assert [item["key"]["name"] for item in site.http.get("/key").json()] == ["ops"]


def test_nothing_is_sent_to_a_system_with_another_host_key(site: Site) -> None:
    """Neither the script nor anything else; the rescue system is taken back."""
    site.host_keys = frozenset({"00:11"})
    with pytest.raises(PowerDisobeyed, match="Robot names 00:11 for its rescue system: nothing was sent"):
        site.driver(rescue=_TO_BE_SEEN).deployer.start()
    assert site.commands == []
    assert site.is_clean()


def test_a_host_key_that_robot_does_not_name_is_not_trusted(site: Site) -> None:
    """There is no first use to trust: whoever answers could be given the machine."""
    site.host_keys = frozenset()
    with pytest.raises(PowerDisobeyed, match="Robot names none"):
        site.driver(rescue=_TO_BE_SEEN).deployer.start()
    assert site.commands == []


def test_a_machine_that_does_not_come_up_is_told(site: Site) -> None:
    """With the time that it had, and what was seen."""
    site.lab.faults.robot.set_pace(boot=30)
    with pytest.raises(PowerDisobeyed, match=r"did not come up in its rescue system within 1 s .* does not answer SSH"):
        site.driver(rescue=1.0).deployer.start()
    assert site.is_clean()


def test_what_the_boot_service_refuses_is_told_and_not_tried_again(site: Site) -> None:
    """Nothing but a decision of ours changes that; a token would not get through."""
    said = "noise\nthere is nothing to boot: this machine is not known here\x1b[1m slipway.token=secret\n"
    site.answers["sh -s"] = Ended(3, "", said)
    with pytest.raises(BmcFailed, match="there is nothing to boot: this machine is not known here") as caught:
        MachinePower(site.driver(), pause=lambda _seconds: None).boot_network()
    assert not caught.value.is_retryable
    assert "secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert site.sent().count(f"POST /reset/{NUMBER}") == 1


def test_what_does_not_work_in_the_rescue_system_may_work_later(site: Site) -> None:
    """A boot service that is not reached, a checksum that is wrong."""
    site.answers["sh -s"] = Ended(4, "", "what came as initrd is not what the boot service has\n")
    with pytest.raises(BmcFailed, match="what came as initrd is not") as caught:
        MachinePower(site.driver(), pause=lambda _seconds: None).boot_network()
    assert caught.value.is_retryable


def test_a_machine_that_is_quicker_than_its_answer_has_been_started(site: Site) -> None:
    """Its deployment's deadline tells if it was not."""
    site.answers[JUMP] = RescueSilentError("the connection was lost")
    site.driver().deployer.start()
    assert site.is_clean()


@pytest.mark.parametrize("path", ["/reset/*", "/boot/*/rescue", "/vswitch/*/server"])
def test_an_answer_that_robot_loses_harms_nothing(site: Site, path: str) -> None:
    """What was done is seen by looking."""
    site.lab.faults.robot.add("lose_answer", path=path, method="POST", times=1)
    site.driver().deployer.start()
    site.comes_up()


def test_the_requests_of_a_start_are_few(site: Site) -> None:
    """A login has 200 an hour for all of its servers."""
    site.driver().deployer.start()
    first = len(site.sent())
    site.driver().deployer.start()
    assert (first <= 28, len(site.sent()) - first <= 20) == (True, True)


def test_without_requests_nothing_is_begun(site: Site) -> None:
    """It is a matter of waiting."""
    site.lab.faults.robot.set_rate_limit(1)
    with pytest.raises(BmcBusy):
        site.driver().deployer.start()


def test_a_server_leaves_the_vswitch_before_a_customer_has_it(site: Site) -> None:
    """Repeating it is harmless."""
    driver = site.driver()
    driver.deployer.start()
    for _ in range(2):
        driver.deployer.leave()
    soon(lambda: _same(site.members(), []))


def test_a_server_that_failed_to_join_is_tried_again(site: Site) -> None:
    """Robot's network gives up now and then."""
    driver = site.driver()
    driver.deployer.start()
    (switch,) = site.http.get("/vswitch").json()
    site.lab.faults.robot.fail(switch["id"], NUMBER)
    driver.deployer.start()
    assert site.members() == [NUMBER]


def test_without_the_one_vswitch_nothing_is_reset(site: Site) -> None:
    """The sentence says which VLAN is meant."""
    elsewhere = replace(ON_VSWITCH, vlan=4002)
    with pytest.raises(PowerError, match="no vSwitch with the provisioning VLAN 4002"):
        site.driver(place=lambda: elsewhere).deployer.start()
    assert not any("/reset/" in line for line in site.sent())


def test_what_was_not_told_is_named() -> None:
    """Inventory and workers' settings, all at once."""
    settings = BmcSettings(driver=BmcKind.ROBOT, address="https://robot.example", system="1", user="u", password="p")
    with pytest.raises(BadBmcSettings, match=r"boot MAC, the machine's VLAN, .*SLIPWAY_PXE_NETWORK of the workers"):
        Provisioning.of(settings)


def _same(found: list[int], wanted: list[int]) -> None:
    assert found == wanted


def test_a_machine_that_cannot_be_switched_off_is_started_from_its_disk_instead(site: Site) -> None:
    """That ends a rescue system, and is what staff's "cycle" does; a wipe's end leaves it where it is."""
    driver = site.driver()
    driver.deployer.start()
    site.comes_up()
    power = MachinePower(driver, pause=lambda _seconds: None)
    assert not power.rest()
    assert site.machine["runs"] == "deployer"
    assert not power.is_off()
    power.end_system()
    soon(lambda: _runs(site, "disk"))
    power.restart()
    with pytest.raises(BmcFailed, match="no power button"):
        power.off()
    assert power.state() is PowerState.ON


def _runs(site: Site, what: str) -> None:
    assert site.machine["runs"] == what


def test_a_driver_that_was_told_nothing_says_so(site: Site) -> None:
    """Power and rescue work without a boot service."""
    robot = Robot(site.http, RequestBudget(lambda: 0.0), lambda _seconds: None)
    with pytest.raises(NotOffered, match="where this server finds the boot service"):
        robot_driver(robot, NUMBER).deployer.start()
