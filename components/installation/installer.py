"""From a blank dedicated server to a Proxmox VE node that answers. Every call blocks, for minutes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.installation.errors import HostKeyMismatchError, InstallationError, RescueSilentError
from components.installation.onto_disk import OntoDisk, Writing, reboot
from components.installation.patience import Patience
from components.installation.profile import installimage_config, post_install_script
from components.installation.proxmox import ProxmoxNode, Seen
from components.installation.rescue import Activation, RescueDesk
from components.installation.shell import Place, Shell
from components.robot.servers import LiveServer
from components.specs.platform.installation import InstallationSpec


@dataclass(frozen=True, slots=True)
class OurKey:
    """The key with which rescue systems are entered, as Robot knows it and in OpenSSH's form."""

    fingerprint: str
    public: str


@dataclass(frozen=True, slots=True)
class Machine:
    """One server and how it is reached.

    Attributes:
        ssh: where its rescue system listens.
        password: root's, of the node that it becomes.
    """

    server: LiveServer
    node: ProxmoxNode
    ssh: tuple[str, int]
    password: str


class Installer:
    """Installs machines; what is done already is found out by looking, so a run that was cut off is just run again.

    Args:
        desk: Robot.
        key: ours.
        shell_at: enters a rescue system.
        patience: waits.
    """

    def __init__(self, desk: RescueDesk, key: OurKey, shell_at: Callable[[Place], Shell], patience: Patience) -> None:
        self._desk, self._key, self._shell_at, self._patience = desk, key, shell_at, patience

    def ensure(self, machine: Machine, spec: InstallationSpec) -> bool:
        """Have Proxmox VE answer. Says whether it was installed now; where it answers already, nothing is touched.

        Raises:
            InstallationError: the machine is in use by something else, its drives are not blank, somebody else answers
                in its place, or a phase took too long. Run again.
        """
        if self._answers(machine):
            self._patience.tell("Proxmox VE answers; nothing is installed")
            return False
        shell = self._found(machine, spec)
        if shell is None and self._answers(machine):  # an earlier run had come as far as the last reboot
            return True
        self._finish(machine, spec, shell or self._into_rescue(machine, spec))
        return True

    def reinstall(self, machine: Machine, spec: InstallationSpec) -> None:
        """Install a node anew. Everything on it is lost.

        Raises:
            InstallationError: there are guests on it, or it cannot be asked; and as :meth:`ensure`.
        """
        if self._answers(machine):
            guests = machine.node.guests(machine.password)
            if guests:
                raise InstallationError(f"{spec.name} carries guests and is not installed anew: {_listed(guests)}")
            shell = self._into_rescue(machine, spec)
            OntoDisk(shell, self._patience).may_erase()
        else:
            shell = self._interrupted(machine, spec)
        self._finish(machine, spec, shell)

    def _interrupted(self, machine: Machine, spec: InstallationSpec) -> Shell:
        """The rescue system in which an earlier run was cut off. A node that is merely silent may carry guests."""
        shell = self._found(machine, spec)
        if shell is None:
            raise InstallationError(
                f"{spec.name} did not say whether it carries guests, so it was not touched; run again when Proxmox VE "
                f"answers at {machine.node.endpoint}"
            )
        return shell

    def _answers(self, machine: Machine) -> bool:
        seen = machine.node.look()
        if seen is Seen.SOMETHING:
            raise InstallationError(
                f"something answers at {machine.node.endpoint}, but not as Proxmox VE does: the machine is in use or "
                "broken, and is not reset. Look at it first"
            )
        return seen is Seen.PROXMOX

    def _found(self, machine: Machine, spec: InstallationSpec) -> Shell | None:
        """The rescue system that an earlier run has started; None if there is none, or if Proxmox VE has come up."""
        last = self._desk.last(machine.server.number)
        if self._key.fingerprint in last.keys and not last.is_armed:
            self._patience.tell("an earlier run has started the rescue system; looking for it")
            try:
                return self._await_rescue(machine, spec, last)
            except RescueSilentError:
                return None
        if not last.is_armed:
            self._refuse_a_stranger(machine)
        return None

    def _refuse_a_stranger(self, machine: Machine) -> None:
        """A machine on which SSH answers has a system already, and somebody may need it."""
        host, port = machine.ssh
        try:
            self._shell_at(Place(host, port, frozenset())).run("true")
        except RescueSilentError:
            return
        except HostKeyMismatchError:
            raise InstallationError(
                f"SSH answers at {host}:{port}, so server {machine.server.number} has a system already and is not "
                "reset. If it may go, activate the rescue system at Robot and run again; the drives must be blank"
            ) from None

    def _into_rescue(self, machine: Machine, spec: InstallationSpec) -> Shell:
        number = machine.server.number
        last = self._desk.last(number)
        if not (last.is_armed and last.keys == {self._key.fingerprint}):
            self._patience.tell("activating the rescue system")
            last = self._desk.activate(number, self._key.fingerprint)
        self._patience.tell("resetting the server")
        self._desk.reset(number)
        return self._await_rescue(machine, spec, last)

    def _await_rescue(self, machine: Machine, spec: InstallationSpec, activation: Activation) -> Shell:
        """Return the rescue system as soon as it answers.

        Raises:
            RescueSilentError: nobody has answered in time, or the machine has started its own Proxmox VE.
            HostKeyMismatchError: somebody else has; for a while that may be the system from before the reset.
        """
        problem: InstallationError = RescueSilentError(f"{spec.name} has started its own system")
        for _ in self._patience.within(spec.boot_seconds):
            shell = self._shell_at(Place(*machine.ssh, self._host_keys(spec, activation)))
            try:
                shell.run("true")
            except (RescueSilentError, HostKeyMismatchError) as error:
                problem = error
            else:
                self._patience.tell("the rescue system answers")
                return shell
            if isinstance(problem, HostKeyMismatchError) and not activation.host_keys:
                activation = self._desk.last(machine.server.number)  # Robot may know them only when it has started
            if not activation.is_armed and machine.node.look() is Seen.PROXMOX:
                break
        raise problem

    def _host_keys(self, spec: InstallationSpec, activation: Activation) -> frozenset[str] | None:
        if activation.host_keys or not spec.accepts_unlisted_host_key:
            return activation.host_keys
        return None

    def _finish(self, machine: Machine, spec: InstallationSpec, shell: Shell) -> None:
        script = post_install_script(spec, self._desk.uplink(machine.server), self._key.public)
        writing = Writing(spec.profile.drives, installimage_config(spec), script, machine.password)
        lost: RescueSilentError | None = None
        try:
            OntoDisk(shell, self._patience).write(writing, spec.install_seconds)
            self._patience.tell("starting the new system")
            reboot(shell)
        except RescueSilentError as error:  # an earlier run may have had it reboot a moment ago
            self._patience.tell("the rescue system has gone; waiting for what comes")
            lost = error
        for _ in self._patience.within(spec.boot_seconds):
            if machine.node.look() is Seen.PROXMOX:
                self._patience.tell("Proxmox VE answers")
                return
        raise lost or InstallationError(
            f"{spec.name} was installed and does not answer at {machine.node.endpoint} after "
            f"{spec.boot_seconds:.0f} s; run again to go on waiting, or look at its console"
        )


def _listed(guests: Sequence[str], most: int = 20) -> str:
    more = f" and {len(guests) - most} more" if len(guests) > most else ""
    return ", ".join(guests[:most]) + more
