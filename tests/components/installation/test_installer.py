"""Blank servers become nodes, once; whatever cuts an installation off, it goes on when it is run again."""

from collections.abc import Callable

import httpx
import pytest

from components.installation.errors import HostKeyMismatchError, InstallationError, RescueSilentError
from components.installation.installer import Installer
from components.installation.onto_disk import MAY_ERASE
from components.installation.shell import Ended, Place, RescueShell, Shell
from components.specs.platform.installation import InstallationProfile
from tests.components.installation.conftest import Site


class CutOffError(Exception):
    """The engine was killed."""


class CutShell:
    """A shell whose owner dies before or after a command that begins so."""

    def __init__(self, shell: Shell, command: str, *, after: bool) -> None:
        self._shell, self._command, self._after = shell, command, after

    def run(self, command: str, stdin: str = "") -> Ended:
        """Run it, or die."""
        is_it = command.startswith(self._command)
        if is_it and not self._after:
            raise CutOffError
        ended = self._shell.run(command, stdin)
        if is_it:
            raise CutOffError
        return ended


def cut_at(site: Site, command: str, *, after: bool) -> Installer:
    """An installer that dies at a command."""
    return site.installer(lambda place: CutShell(RescueShell(place, site.key), command, after=after))


def serves(site: Site) -> bool:
    """Whether root can log in at the node with the password of the environment."""
    return site.machine().node.guests(site.machine().password) == []


def test_a_blank_server_becomes_a_node_and_then_is_left_alone(site: Site) -> None:
    """One reset, one installation; the second run finds Proxmox VE and touches nothing."""
    assert site.installer().ensure(site.machine(), site.spec) is True
    assert serves(site)
    assert site.told[0] == "game-1: activating the rescue system"
    assert site.told[-1] == "game-1: Proxmox VE answers"
    assert site.installer().ensure(site.machine(), site.spec) is False
    assert (site.installations(), site.resets()) == (1, 1)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "command",
    [
        "true",
        "cat /root/slipway-result",
        "lsblk",
        "umask 077; cat > /root/slipway-config",
        "chpasswd",
        "setsid",
        "reboot",
    ],
)
def test_what_was_cut_off_goes_on(site: Site, command: str, *, after: bool) -> None:
    """At whatever command the engine died, the next run ends with a node, and the server was reset once."""
    with pytest.raises(CutOffError):
        cut_at(site, command, after=after).ensure(site.machine(), site.spec)
    site.installer().ensure(site.machine(), site.spec)
    assert serves(site)
    assert (site.installations(), site.resets()) == (1, 1)


@pytest.mark.parametrize("kind", ["lose_answer", "error"])
@pytest.mark.parametrize("path", ["/boot/321001/rescue", "/reset/321001"])
def test_an_answer_that_robot_loses_harms_nothing(site: Site, kind: str, path: str) -> None:
    """It is looked, not sent again; at most the next run goes on."""
    spec = site.spec.model_copy(update={"boot_seconds": 2})
    with site.lab.faults.robot.during(kind, method="POST", path=path, times=1):
        try:
            site.installer().ensure(site.machine(), spec)
        except Exception:  # noqa: BLE001 - whatever it was, the second run has to do
            site.installer().ensure(site.machine(), site.spec)
    assert serves(site)
    assert site.installations() == 1


def test_drives_that_carry_something_are_never_written_to(site: Site) -> None:
    """A node that does not answer may be in use; it starts as before once it is reset."""
    site.lab.faults.robot.set_disk(site.spec.number, "other")
    with pytest.raises(InstallationError, match="there is something on nvme0n1, nvme1n1, so nothing was written"):
        site.installer().ensure(site.machine(), site.spec)
    assert site.installations() == 0


def test_drives_that_are_not_there_are_named(site: Site) -> None:
    """With those that are."""
    profile = InstallationProfile(drives=("sda", "sdb"))
    with pytest.raises(InstallationError, match="sda, sdb is not in this machine; it has nvme0n1, nvme1n1"):
        site.installer().ensure(site.machine(), site.spec.model_copy(update={"profile": profile}))


def test_a_failed_installimage_shows_its_log_and_is_started_again(site: Site) -> None:
    """With another image it goes through, in the same rescue system."""
    old = site.spec.profile.model_copy(update={"image": "Debian-0000-none-amd64-base.tar.gz"})
    with pytest.raises(InstallationError, match=r"(?s)installimage failed.*No valid IMAGEFILE"):
        site.installer().ensure(site.machine(), site.spec.model_copy(update={"profile": old}))
    site.installer().ensure(site.machine(), site.spec)
    assert serves(site)
    assert site.resets() == 1


def test_an_installation_that_takes_too_long_is_waited_for_again(site: Site) -> None:
    """It is not started twice."""
    site.lab.faults.robot.set_pace(install=4)
    with pytest.raises(InstallationError, match="still at work after 0 s"):
        site.installer().ensure(site.machine(), site.spec.model_copy(update={"install_seconds": 0.1}))
    site.installer().ensure(site.machine(), site.spec)
    assert (site.installations(), site.resets()) == (1, 1)


def other_host_keys(site: Site) -> Callable[[Place], Shell]:
    """Shells at a machine whose host key is not the one that Robot names."""
    return lambda place: RescueShell(Place(place.host, place.port, frozenset({"00:11"})), site.key)


def test_another_host_key_is_refused(site: Site) -> None:
    """Nothing is sent to it, root's password least of all."""
    spec = site.spec.model_copy(update={"boot_seconds": 5})  # in which it has to have answered
    with pytest.raises(HostKeyMismatchError, match="Robot names 00:11 for its rescue system: nothing was sent"):
        site.installer(other_host_keys(site)).ensure(site.machine(), spec)
    assert site.installations() == 0


def test_a_machine_that_does_not_boot_is_an_error_with_a_deadline(site: Site) -> None:
    """The next run waits for it once more before it is reset again."""
    site.lab.faults.robot.set_pace(boot=3)
    with pytest.raises(RescueSilentError, match="does not answer SSH"):
        site.installer().ensure(site.machine(), site.spec.model_copy(update={"boot_seconds": 0.2}))
    site.lab.faults.robot.set_pace()
    site.installer().ensure(site.machine(), site.spec)
    assert site.resets() == 1


def test_a_server_that_is_not_ours_is_named(site: Site) -> None:
    """Nothing is activated."""
    site.spec = site.spec.model_copy(update={"number": 999_999})
    with pytest.raises(InstallationError, match="Robot has no server 999999 for this login"):
        site.machine()


def test_a_key_that_robot_does_not_know_is_refused(site: Site) -> None:
    """Before anything is reset."""
    site.lab.faults.robot.reset()
    with pytest.raises(InstallationError, match="is the key known to Robot"):
        site.installer().ensure(site.machine(), site.spec)
    assert site.resets() == 0


def test_what_answers_otherwise_is_not_reset(site: Site) -> None:
    """A broken node may carry guests."""
    machine = site.machine()
    broken = httpx.MockTransport(lambda _request: httpx.Response(502))
    machine.node._transport = broken
    with pytest.raises(InstallationError, match=r"something answers .* but not as Proxmox VE does"):
        site.installer().ensure(machine, site.spec)
    assert site.resets() == 0


def test_a_node_is_installed_anew_only_when_it_is_asked_for(site: Site) -> None:
    """Everything on it is gone then."""
    site.installer().ensure(site.machine(), site.spec)
    site.installer().reinstall(site.machine(), site.spec)
    assert serves(site)
    assert (site.installations(), site.resets()) == (2, 2)


def test_a_node_with_guests_is_never_installed_anew(site: Site) -> None:
    """The refusal lists them; it is not even reset."""
    site.installer().ensure(site.machine(), site.spec)
    _create_guest(site)
    with pytest.raises(InstallationError, match="carries guests and is not installed anew: qemu/101 shop"):
        site.installer().reinstall(site.machine(), site.spec)
    assert (site.installations(), site.resets()) == (1, 1)


def test_a_silent_node_is_not_installed_anew(site: Site) -> None:
    """It cannot say who lives on it."""
    with pytest.raises(InstallationError, match="did not say whether it carries guests"):
        site.installer().reinstall(site.machine(), site.spec)
    assert site.resets() == 0


@pytest.mark.parametrize("command", [f"umask 077; cat > {MAY_ERASE}", "lsblk", "setsid", "reboot"])
def test_a_second_installation_that_was_cut_off_goes_on(site: Site, command: str) -> None:
    """What was allowed is remembered by the rescue system that was started for it."""
    site.installer().ensure(site.machine(), site.spec)
    with pytest.raises(CutOffError):
        cut_at(site, command, after=True).reinstall(site.machine(), site.spec)
    if command == "reboot":  # it is done by then, and the node has nothing to be asked about twice
        site.installer().ensure(site.machine(), site.spec)
    else:
        site.installer().reinstall(site.machine(), site.spec)
    assert serves(site)
    assert site.installations() == 2


def _create_guest(site: Site) -> None:
    node = site.machine().node
    with httpx.Client(base_url=f"{node.endpoint}/api2/json", verify=False) as client:  # noqa: S501 - its own
        login = {"username": "root@pam", "password": site.machine().password}
        ticket = client.post("/access/ticket", data=login).json()["data"]
        client.cookies.set("PVEAuthCookie", ticket["ticket"])
        headers = {"CSRFPreventionToken": ticket["CSRFPreventionToken"]}
        answer = client.post("/nodes/game-1/qemu", data={"vmid": 101, "name": "shop"}, headers=headers)
        answer.raise_for_status()
