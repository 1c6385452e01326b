"""The few commands that the lab's rescue system understands, in the shell's own notation."""

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from subprocess import PIPE
from typing import Any

from lab.rescue.installimage import Refused, check
from lab.rescue.machine import DRIVE_BYTES, DRIVES, Disk, Machine

INSTALLIMAGE = "/root/.oldroot/nfs/install/installimage"
"""In the rescue system `installimage` is an alias, which only interactive shells have."""
JUMP = "/run/slipway-deployer/jump"
"""The file that the script which loads a deployer leaves behind."""
_TOLD = 4
Reading = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Power:
    """What a shell can do to the machine around it.

    Attributes:
        reboot: start from the disk.
        jump: start the kernel that was loaded.
        installed: called with root's password hash when Proxmox VE is on the disk.
        spawn: let something go on after the shell has ended.
        install_seconds: how long an installation takes.
    """

    reboot: Callable[[], None]
    jump: Callable[[], None]
    installed: Callable[[str], Awaitable[None]]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    install_seconds: float = 0.2


@dataclass
class Result:
    """How a command ended."""

    status: int = 0
    out: str = ""
    err: str = ""


@dataclass
class _Call:
    words: list[str] = field(default_factory=list)
    out: str = ""
    has_both: bool = False
    stdin: str = ""


class Shell:
    """Root's shell in a machine's rescue system."""

    def __init__(self, machine: Machine, power: Power) -> None:
        self._machine, self._power = machine, power
        self._files = machine.rescue.files
        self._status = 0

    async def run(self, text: str, stdin: Reading) -> Result:
        """Run a command line or a script, each line and each part between semicolons after the other."""
        whole = Result()
        for line in text.splitlines():
            for call in _parse(line.replace("$?", str(self._status)) if "$?" in line else line):
                result = await self._redirected(call, stdin)
                self._status = whole.status = result.status
                whole.out += result.out
                whole.err += result.err
        return whole

    async def _redirected(self, call: _Call, stdin: Reading) -> Result:
        if not call.words:
            return Result()
        if call.out:
            self._files[call.out] = ""
        result = await self._call(call.words, stdin)
        if call.out:
            self._files[call.out] = result.out + (result.err if call.has_both else "")
            return Result(result.status, "", "" if call.has_both else result.err)
        return result

    async def _call(self, words: list[str], stdin: Reading) -> Result:
        match words:
            case ["cat"]:
                return Result(out=await stdin())
            case ["chpasswd", "-e"]:
                return self._set_password(await stdin())
            case ["sh", "-s", "--", *told]:
                return await self._load(told, await stdin())
            case [program, *options] if program == INSTALLIMAGE:
                return await self._install(options)
        return self._call_at_once(words)

    def _call_at_once(self, words: list[str]) -> Result:
        result = Result()
        match words:
            case ["umask" | "export" | "true", *_]:
                pass
            case ["echo", *rest]:
                result = Result(out=" ".join(rest) + "\n")
            case ["cat", path]:
                result = self._cat(path)
            case ["rm", "-f", *paths]:
                for path in paths:
                    self._files.pop(path, None)
            case ["lsblk", "--json", *_]:
                result = Result(out=_block_devices(self._machine))
            case ["setsid", "--fork", "sh", path] if path in self._files:
                self._start(path)
            case ["reboot"]:
                self._power.reboot()
            case ["sh", path] if path == JUMP and self._machine.rescue.loaded:
                self._power.jump()
            case _:
                result = Result(127, err=f"bash: line 1: {words[0]}: command not found\n")
        return result

    async def _load(self, told: list[str], script: str) -> Result:
        """The script is not run: there is neither a card nor a boot service here. It has to be one that sh can read."""
        fault = await _syntax_error(script)
        if fault or not script or len(told) != _TOLD:
            return Result(2, err=fault or f"sh: no script, or not its {_TOLD} arguments\n")
        self._machine.rescue.loaded = tuple(told)
        return Result()

    def _cat(self, path: str) -> Result:
        if path not in self._files:
            return Result(1, err=f"cat: {path}: No such file or directory\n")
        return Result(out=self._files[path])

    def _set_password(self, line: str) -> Result:
        user, _, digest = line.strip().partition(":")
        if user != "root" or not digest.startswith("$"):
            return Result(1, err="chpasswd: (line 1) failed to change password\n")
        self._machine.rescue.root_hash = digest
        return Result()

    def _start(self, path: str) -> None:
        async def nothing() -> str:
            return ""

        async def run() -> None:
            await Shell(self._machine, self._power).run(self._files[path], nothing)

        self._power.spawn(run())

    async def _install(self, options: list[str]) -> Result:
        given = dict(zip(options[1::2], options[2::2], strict=False)) if options[:1] == ["-a"] else {}
        config, script = self._files.get(given.get("-c", "")), self._files.get(given.get("-x", ""), "")
        if config is None:
            return Result(1, "=> FAILED: config file for autosetup not found\n")
        if "-x" in given and not script:
            return Result(1, f"=> FAILED: post-install file {given['-x']} not found or not executable\n")
        try:
            check(config, DRIVES)
        except Refused as error:
            return Result(1, f"{error}\nCancelled.\n")
        self._machine.disk = Disk.OTHER
        await asyncio.sleep(self._power.install_seconds)
        if self._machine.rescue.files is not self._files:
            return Result(130)  # somebody has reset the machine meanwhile
        fault = await _syntax_error(script)
        if fault:
            return Result(1, f"Executing post installation script failed\n{fault}")
        self._machine.installations += 1
        if "proxmox-ve" in script:
            takes_keys = given.get("-t", "yes") == "yes"  # then installimage locks root's password
            await self._power.installed("*" if takes_keys else self._machine.rescue.root_hash)
            self._machine.disk = Disk.PROXMOX
        return Result(out="INSTALLATION COMPLETE\n")


def _parse(line: str) -> list[_Call]:
    """The calls of a line, with where their output goes."""
    calls, here = [_Call()], ""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";<>&")
    lexer.whitespace_split = True
    for word in lexer:
        call = calls[-1]
        if word == ";":
            calls.append(_Call())
        elif word in {">", "<", ">&"}:
            if word == ">&" and call.words[-1:] == ["2"]:
                call.words.pop()
            here = word
            continue
        elif here == ">":
            call.out = word
        elif here == "<":
            call.stdin = word
        elif here == ">&":
            call.has_both = True
        else:
            call.words.append(word)
        here = ""
    return calls


def _block_devices(machine: Machine) -> str:
    parts = [] if machine.disk is Disk.BLANK else [{"name": "md0", "type": "raid1", "fstype": "LVM2_member"}]
    fstype = None if machine.disk is Disk.BLANK else "linux_raid_member"
    drives = [
        {"name": name, "type": "disk", "fstype": fstype, "size": DRIVE_BYTES, **({"children": parts} if parts else {})}
        for name in DRIVES
    ]
    return json.dumps({"blockdevices": [{"name": "loop0", "type": "loop", "fstype": "ext2", "size": 1}, *drives]})


async def _syntax_error(script: str) -> str:
    """What bash says of a script that it cannot read."""
    bash = await asyncio.create_subprocess_exec("bash", "-n", stdin=PIPE, stdout=PIPE, stderr=PIPE)
    _, err = await bash.communicate(script.encode())
    return err.decode() if bash.returncode else ""
