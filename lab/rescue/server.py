"""The rescue systems' SSH servers, and the machines' power. Runs in the Robot stand-in's event loop."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncssh
import httpx

from lab.rescue.machine import Disk, Machine, Rescue, Runs
from lab.rescue.shell import Power, Shell

BOOT_SECONDS = 0.2
"""How long a machine takes to boot in the lab; a real one takes one to five minutes."""
CONNECTING = 6
"""Tries to reach the Proxmox stand-in, which starts at the same time; the pauses double from half a second."""
KeysOf = Callable[[int], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How machines are reached.

    Attributes:
        ports: of each machine's SSH, by name.
        nodes: the machines behind which a Proxmox VE node of the lab stands.
        proxmox_control: the address at which those are switched on and off; empty: nowhere.
        token: opens it.
    """

    ports: Mapping[str, int] = field(default_factory=dict)
    nodes: frozenset[str] = frozenset()
    proxmox_control: str = ""
    token: str = ""


class Hall:
    """All machines: boots them, and keeps an SSH server up for each that is in its rescue system.

    Args:
        machines: by Robot's number; the caller's own, read anew each time.
        keys_of: the MD5 fingerprints that a machine's rescue system lets in.
        wiring: how they are reached.
    """

    def __init__(self, machines: Callable[[], Mapping[int, Machine]], keys_of: KeysOf, wiring: Wiring) -> None:
        self._machines, self._keys_of, self._wiring = machines, keys_of, wiring
        self.boot_seconds = BOOT_SECONDS
        self.install_seconds = BOOT_SECONDS
        self._serving: dict[int, asyncssh.SSHAcceptor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # At its start a node of the lab is on, and serves if there is a system on its drives.
        self._is_on = {machine.number: machine.disk is Disk.PROXMOX for machine in machines().values()}

    def boot(self, number: int, system: str) -> None:
        """Power-cycle a machine into its rescue system or from its disk; comes back before it is up."""
        machine = self._machines().get(number)
        if machine is not None:
            machine.runs, machine.rescue = Runs.NOTHING, Rescue()
            self._later(self._boot(machine, Runs.RESCUE if system == "rescue" else Runs.DISK))

    async def settle(self) -> None:
        """Bring SSH servers and Proxmox VE nodes to what the machines say; for the start, and after a reset."""
        for number in [number for number in self._serving if number not in self._machines()]:
            await self._stop_ssh(number)
        for machine in self._machines().values():
            if machine.runs is Runs.NOTHING:  # it was booting when the lab was ended
                machine.runs = Runs.DISK
        await asyncio.gather(*(self._apply(machine) for machine in self._machines().values()))

    async def close(self) -> None:
        """End everything."""
        for task in list(self._tasks):
            task.cancel()
        for number in list(self._serving):
            await self._stop_ssh(number)

    async def _boot(self, machine: Machine, into: Runs) -> None:
        await self._apply(machine)
        await asyncio.sleep(self.boot_seconds)
        await self._become(machine, into)

    async def _become(self, machine: Machine, what: Runs) -> None:
        machine.runs = what
        await self._apply(machine)

    async def _apply(self, machine: Machine) -> None:
        await self._stop_ssh(machine.number)
        if machine.runs is Runs.RESCUE and machine.name in self._wiring.ports:
            await self._start_ssh(machine)
        is_on = _wants_power(machine)
        if self._is_on.get(machine.number, False) != is_on:
            await self._tell(machine, "PUT", "/power", is_on=is_on)
            self._is_on[machine.number] = is_on

    async def _tell(self, machine: Machine, method: str, path: str, **what: Any) -> None:
        """Tell the Proxmox VE node behind a machine, if there is one."""
        if machine.name not in self._wiring.nodes or not self._wiring.proxmox_control:
            return
        document = {"where": machine.name, **what}
        headers = {"Authorization": f"Bearer {self._wiring.token}"}
        transport = httpx.AsyncHTTPTransport(verify=False, retries=CONNECTING)
        async with httpx.AsyncClient(
            base_url=self._wiring.proxmox_control, headers=headers, timeout=30, transport=transport
        ) as http:
            (await http.request(method, f"/_lab{path}", json=document)).raise_for_status()

    async def _start_ssh(self, machine: Machine) -> None:
        keys = self._keys_of(machine.number)

        async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
            result = await self._shell(machine).run(process.command or "", process.stdin.read)
            process.stdout.write(result.out)
            process.stderr.write(result.err)
            process.exit(result.status)

        self._serving[machine.number] = await asyncssh.listen(
            "127.0.0.1",
            self._wiring.ports[machine.name],
            server_host_keys=[asyncssh.import_private_key(machine.host_key)],
            server_factory=lambda: _Door(keys),
            process_factory=serve,
            reuse_address=True,
        )

    async def _stop_ssh(self, number: int) -> None:
        server = self._serving.pop(number, None)
        if server is not None:
            server.close()
            await server.wait_closed()

    def _shell(self, machine: Machine) -> Shell:
        async def installed(root_hash: str) -> None:
            await self._tell(machine, "POST", "/installed", root_hash=root_hash)

        def reboot() -> None:
            asyncio.get_running_loop().call_later(0.05, self.boot, machine.number, "disk")

        def jump() -> None:
            machine.deployer = machine.rescue.loaded
            asyncio.get_running_loop().call_later(0.05, self._later, self._become(machine, Runs.DEPLOYER))

        return Shell(machine, Power(reboot, jump, installed, self._later, self.install_seconds))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _wants_power(machine: Machine) -> bool:
    return machine.runs is Runs.DISK and machine.disk is Disk.PROXMOX


class _Door(asyncssh.SSHServer):
    """Lets root in with one of these keys, known by their MD5 fingerprints."""

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys

    def begin_auth(self, username: str) -> bool:
        del username
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "root" and key.get_fingerprint("md5").removeprefix("MD5:") in self._keys
