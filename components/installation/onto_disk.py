"""What happens in the rescue system: from blank drives to a written system. Blocks until that is done."""

import contextlib
import json
from dataclasses import dataclass

from passlib.hash import sha512_crypt

from components.installation.errors import InstallationError, RescueSilentError
from components.installation.patience import Patience
from components.installation.shell import Shell

INSTALLIMAGE = "/root/.oldroot/nfs/install/installimage"
"""`installimage` by itself is an alias that only an interactive shell has."""
CONFIG, SCRIPT, RUN = "/root/slipway-config", "/root/slipway-post-install", "/root/slipway-run"
STARTED, LOG, RESULT = "/root/slipway-started", "/root/slipway-log", "/root/slipway-result"
MAY_ERASE = "/root/slipway-may-erase"
"""Says, for as long as this rescue system runs, that what is on the drives may go."""
ROUNDS = 50_000
_LOG_LINES = 15
_RUN = f"""export TERM=xterm
echo started >{STARTED}
{INSTALLIMAGE} -a -t no -c {CONFIG} -x {SCRIPT} </dev/null >{LOG} 2>&1
echo $? >{RESULT}
"""
"""`-t no`: with our key taken over, installimage would lock root's password. Without a terminal it would wait for
ever after a bad configuration, so what runs has a deadline."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written: the drives, the two files, and the password that root gets."""

    drives: tuple[str, ...]
    config: str
    script: str
    password: str


class OntoDisk:
    """Puts a system on a machine's drives, from its rescue system.

    The installation runs by itself there. Whoever comes later finds it running, finished or failed, by the files that
    it leaves in the rescue system's memory.
    """

    def __init__(self, shell: Shell, patience: Patience) -> None:
        self._shell, self._patience = shell, patience

    def may_erase(self) -> None:
        """Let what is on the drives go; for as long as this rescue system runs."""
        self._write(MAY_ERASE, "yes\n")

    def write(self, writing: Writing, seconds: float) -> None:
        """Have the system on the drives, starting or watching as it is needed.

        Raises:
            InstallationError: the drives are not blank or not there, or installimage failed; with the end of its log.
        """
        result = self._read(RESULT)
        if result is None and self._read(STARTED) is None:
            self._check_drives(writing.drives)
            self._start(writing)
        elif result is not None and result.strip() != "0":
            self._patience.tell("an earlier installation failed; starting it again")
            self._start(writing)
        self._watch(seconds)

    def _check_drives(self, wanted: tuple[str, ...]) -> None:
        devices = json.loads(self._must("lsblk --json --output NAME,TYPE,FSTYPE"))["blockdevices"]
        drives = {item["name"]: item for item in devices if item["type"] == "disk"}
        missing = [name for name in wanted if name not in drives]
        if missing:
            there = ", ".join(sorted(drives)) or "none"
            raise InstallationError(f"drives: {', '.join(missing)} is not in this machine; it has {there}")
        used = [name for name in wanted if drives[name].get("fstype") or drives[name].get("children")]
        if used and self._read(MAY_ERASE) is None:
            raise InstallationError(
                f"drives: there is something on {', '.join(used)}, so nothing was written. If the machine is a node "
                "that is in use, reset it and it starts as before. If everything on it may go, erase the drives from "
                "the rescue system (wipefs --all) and run again"
            )

    def _start(self, writing: Writing) -> None:
        self._must(f"rm -f {RESULT} {STARTED}")
        self._write(CONFIG, writing.config)
        self._write(SCRIPT, writing.script)
        digest = sha512_crypt.using(rounds=ROUNDS).hash(writing.password)  # type: ignore[no-untyped-call] # the stubs
        self._must("chpasswd -e", f"root:{digest}\n")
        self._write(RUN, _RUN)
        self._patience.tell("installimage starts")
        self._must(f"setsid --fork sh {RUN}")

    def _watch(self, seconds: float) -> None:
        for _ in self._patience.within(seconds):
            try:
                result = self._read(RESULT)
            except RescueSilentError:  # a connection lost on the way; the installation does not need it
                continue
            if result is None:
                continue
            if result.strip() == "0":
                self._patience.tell("the system is on the drives")
                return
            raise InstallationError(f"installimage failed; its log ends:\n{self._log_tail()}\nCorrect it and run again")
        raise InstallationError(
            f"installimage is still at work after {seconds:.0f} s; its log ends:\n{self._log_tail()}\n"
            "Run again to go on waiting, or reset the server into its rescue system to start anew"
        )

    def _log_tail(self) -> str:
        return "\n".join((self._read(LOG) or "").splitlines()[-_LOG_LINES:])

    def _read(self, path: str) -> str | None:
        ended = self._shell.run(f"cat {path}")
        return None if ended.status else ended.out

    def _write(self, path: str, content: str) -> None:
        self._must(f"umask 077; cat > {path}", content)

    def _must(self, command: str, stdin: str = "") -> str:
        ended = self._shell.run(command, stdin)
        if ended.status:
            raise InstallationError(f"the rescue system failed at '{command}': {(ended.err or ended.out).strip()}")
        return ended.out


def reboot(shell: Shell) -> None:
    """Start the machine from its drives. The connection may end before the answer."""
    with contextlib.suppress(RescueSilentError):
        shell.run("reboot")
