"""Into the deployer at Robot: its rescue system, entered by SSH, starts the deployer's kernel in its own place.

The rescue system fetches kernel, initrd and command line from the boot service itself, so the one-time token is known
to that machine only. The key is made for one start and kept in memory; Robot knows its public half until the start is
over.
"""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import asyncssh
import structlog

from components.installation.errors import HostKeyMismatchError, InstallationError, RescueSilentError
from components.installation.rescue import RescueDesk
from components.installation.shell import Place, RescueShell, Shell
from components.robot.client import Robot
from components.robot.keys import Keys
from pxe.power.errors import PowerDisobeyed, PowerError
from pxe.power.interfaces import RescueSystem, nothing
from pxe.power.provisioning import Provisioning
from pxe.power.robot import RobotPower, RobotRescue, key_name, meaning
from pxe.power.robot_switch import SwitchPlace
from pxe.power.timing import Timing

SCRIPT = Path(__file__).parent / "into_deployer.sh"
LOADING = 600.0
"""Seconds for kernel and initrd, some 100 MB on real iron, from a boot service that serves fifty others."""
JUMP = "sh /run/slipway-deployer/jump"
"""Starts what was loaded, a second later: the answer of this command has to get out first."""
_REFUSED = 3
"""The script's status when the boot service has nothing to boot for the machine."""
_ASK_AGAIN = 60.0
"""Seconds until Robot is asked once more for host keys that it has not named."""
_SHOWN = 300
_SSH = 22

Enter = Callable[[Place, asyncssh.SSHKey], Shell]
_LOG = structlog.get_logger(__name__)


def enter_by_ssh(place: Place, key: asyncssh.SSHKey) -> Shell:
    """Return root's shell in a rescue system. Sends nothing."""
    return RescueShell(place, key, seconds=LOADING)


class RescueStart:
    """Implements ``DeployerInterface`` for a server at Robot: some 20 requests.

    Args:
        robot: the connection that the process shares.
        number: the server's.
        place: tells where the boot service is found; raises ``PowerError`` if that is not known.
        timing: how long it is waited for.
        enter: opens a shell in a rescue system.
    """

    def __init__(
        self, robot: Robot, number: int, place: Callable[[], Provisioning], timing: Timing, enter: Enter = enter_by_ssh
    ) -> None:
        self._robot, self._number, self._place, self._timing, self._enter = robot, number, place, timing, enter
        self._desk, self._rescue = RescueDesk(robot), RobotRescue(robot, number)

    def start(self, look: Callable[[], None] = nothing) -> None:
        """See there. What an earlier start has left at Robot, when its process died, is taken back first."""
        place = self._place()
        switch = SwitchPlace(self._robot, self._number, place.vlan, self._timing)
        look()
        with meaning(self._number):
            switch.find()  # before anything is reset
            self._forget_old_keys()
        key = asyncssh.generate_private_key("ssh-ed25519")
        public = key.export_public_key("openssh").decode().strip()
        try:
            system = self._rescue.activate(public)
            look()
            RobotPower(self._robot, self._number, self._timing).begin()
            shell = self._entered(system, key, look)
            with meaning(self._number):
                switch.take(look)  # only now: what ran before the reset may be a customer's
            self._load(shell, place)
            look()
            self._jump(shell)
        finally:
            self._take_back(public)

    def leave(self) -> None:
        """See there: the server leaves the provisioning vSwitch."""
        with meaning(self._number):
            SwitchPlace(self._robot, self._number, self._place().vlan, self._timing).leave()

    def _forget_old_keys(self) -> None:
        keys = Keys(self._robot)
        for key in keys.named(key_name(self._number)):
            keys.forget(key.fingerprint)

    def _take_back(self, public: str) -> None:
        """Leave neither key nor rescue system. What cannot be taken back now is taken back by the next start."""
        try:
            self._rescue.deactivate(public)
        except PowerError as error:
            _LOG.warning("rescue_not_taken_back", server=self._number, reason=str(error))

    def _entered(self, system: RescueSystem, key: asyncssh.SSHKey, look: Callable[[], None]) -> Shell:
        """Return the rescue system's shell once it answers with a host key that Robot has named.

        Until then nobody answers, or the system from before the reset, to which nothing is sent.
        """
        asked_at, host_keys = self._timing.clock(), system.host_keys
        deadline = asked_at + self._timing.rescue
        while True:
            look()
            shell = self._enter(Place(system.address, _SSH, host_keys), key)
            try:
                shell.run("true")
            except InstallationError as error:
                problem = error
            else:
                return shell
            now = self._timing.clock()
            if isinstance(problem, HostKeyMismatchError) and not host_keys and now - asked_at >= _ASK_AGAIN:
                asked_at = now  # Robot may know them only when it has started
                with meaning(self._number):
                    host_keys = self._desk.last(self._number).host_keys
            if now > deadline:
                raise PowerDisobeyed(
                    f"server {self._number} did not come up in its rescue system within {self._timing.rescue:.0f} s of "
                    f"its reset: {problem}"
                )
            self._timing.pause(self._timing.poll)

    def _load(self, shell: Shell, place: Provisioning) -> None:
        words = shlex.join([place.mac, str(place.vlan), str(place.address), place.url])
        try:
            ended = shell.run(f"sh -s -- {words}", SCRIPT.read_text(encoding="utf-8"))
        except InstallationError as error:
            raise PowerDisobeyed(f"server {self._number}: its rescue system was lost: {error}") from None
        if ended.status == 0:
            return
        said = _last_line(ended.err) or f"it ended with {ended.status} and said nothing"
        kind = PowerError if ended.status == _REFUSED else PowerDisobeyed
        raise kind(f"server {self._number}: its rescue system could not start the deployer: {said}")

    def _jump(self, shell: Shell) -> None:
        try:
            ended = shell.run(JUMP)
        except RescueSilentError:
            return  # it was quicker than its answer; if it was not, the deployment's deadline tells
        except InstallationError as error:
            raise PowerDisobeyed(f"server {self._number}: its rescue system was lost: {error}") from None
        if ended.status != 0:
            raise PowerDisobeyed(f"server {self._number}: the deployer's kernel was not started: {ended.err[:_SHOWN]}")


def _last_line(text: str) -> str:
    """What a script said in the end, without anything that a terminal or a log would take for more than text."""
    lines = [line for line in text.splitlines() if line.strip()]
    line = "".join(character for character in lines[-1] if character.isprintable()) if lines else ""
    return re.sub(r"slipway\.token=\S+", "slipway.token=…", line)[:_SHOWN]
