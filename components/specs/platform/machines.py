"""A machine of the bare-metal pool as platform engineers describe it: what an inspection has to find, and where."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.specs.bmc import BmcSpec
from components.specs.machine import MacAddress, MachineClass, MachineName, Serial
from components.specs.network import Frozen
from components.specs.platform.problems import Place, Problem

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._/:-]{0,64}$")]
"""A place or a port, in the words of whoever wired it."""


class _Described(Frozen):
    """What a stack's configuration and its report both say of a machine."""

    name: MachineName
    machine_class: MachineClass
    serial: Serial
    boot_mac: MacAddress
    cores: Annotated[int, Field(ge=1, le=8192)]
    memory_mib: Annotated[int, Field(ge=64, le=1 << 30)]
    disk_gib: Annotated[int, Field(ge=1, le=1 << 20)]
    disk_count: Annotated[int, Field(ge=1, le=128)]
    boot_address: IPv4Address | None = None
    rack: Label = ""
    switch_port: Label = ""
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    bmc: BmcSpec


class PoolMachineSpec(_Described):
    """A machine that is sold as a whole.

    Attributes:
        machine_class: a size of the product ``bare-metal``.
        boot_mac: of the card that it boots from the network with; ``macs`` are those of all cards that are known.
        memory_mib: as plugged in; ``disk_gib`` is the size of each disk.
        boot_address: what DHCP gives it on the provisioning network; none has DHCP leave it alone.
        server: the stack's server of this name, for its number at Robot.
        vlan: of the vSwitch that the port is on.
    """

    macs: Annotated[tuple[MacAddress, ...], Field(max_length=64)] = ()
    server: str | None = None

    @property
    def all_macs(self) -> tuple[str, ...]:
        """The addresses of all cards, that which it boots with among them, in order."""
        return tuple(sorted({*self.macs, self.boot_mac}))


class MachineReport(_Described):
    """A machine as Inventory is told it: the fields of ``PoolMachineSpec``, with site, Robot's number and all cards."""

    site: str
    macs: Annotated[tuple[MacAddress, ...], Field(max_length=65)]
    server_number: Annotated[int, Field(ge=1, le=1 << 30)] | None = None

    @model_validator(mode="after")
    def _boots_with_one_of_its_cards(self) -> Self:
        if self.boot_mac not in self.macs:
            raise ValueError(f"'macs' of '{self.name}' lacks 'boot_mac', {self.boot_mac}")
        return self


def machine_problems(machines: Sequence[PoolMachineSpec], servers: Iterable[str]) -> Iterator[Problem]:
    """Return what is wrong with machines beside each other: two that are known by the same thing, servers unknown."""
    known = set(servers)
    for what, key in (
        ("name", "name"),
        ("serial number", "serial"),
        ("boot address", "boot_address"),
        ("server", "server"),
    ):
        yield from _twice(what, ((("machines", i, key), getattr(one, key)) for i, one in enumerate(machines)))
    yield from _twice("network card", _cards(machines))
    for index, machine in enumerate(machines):
        if machine.server is not None and machine.server not in known:
            there = ", ".join(sorted(known)) or "none"
            yield Problem(
                ("machines", index, "server"), f"the stack has no server '{machine.server}'; there is {there}"
            )


def _cards(machines: Sequence[PoolMachineSpec]) -> Iterator[tuple[Place, str]]:
    for index, machine in enumerate(machines):
        for mac in machine.all_macs:
            key = "boot_mac" if mac == machine.boot_mac else "macs"
            yield ("machines", index, key), mac


def _twice(what: str, values: Iterable[tuple[Place, object]]) -> Iterator[Problem]:
    seen: set[object] = set()
    for place, value in values:
        if value is not None and value in seen:
            yield Problem(place, f"another machine has the {what} '{value}'")
        seen.add(value)
