"""A Robot vSwitch: one VLAN between dedicated servers."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from components.specs.network import Frozen

FIRST_VLAN, LAST_VLAN = 4000, 4091
MOST_SERVERS = 100
"""Hetzner's own limits: the VLANs that a vSwitch may have, and the servers on one."""

ServerNumber = Annotated[int, Field(ge=1)]
"""Robot's number of a dedicated server."""


def _as_a_set(numbers: tuple[int, ...]) -> tuple[int, ...]:
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise ValueError(f"each server is named once; {', '.join(map(str, twice))} is there twice")
    return tuple(sorted(numbers))


class VSwitchSpec(Frozen):
    """A vSwitch with exactly these servers. Name and VLAN together tell it from others, also after a crash."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
    vlan: Annotated[int, Field(ge=FIRST_VLAN, le=LAST_VLAN)]
    servers: Annotated[tuple[ServerNumber, ...], Field(max_length=MOST_SERVERS), AfterValidator(_as_a_set)] = ()


def check_vlans(vswitches: Iterable[VSwitchSpec]) -> None:
    """Hold vSwitches against each other: Robot refuses a server that would have one VLAN twice.

    Raises:
        ValueError: names both vSwitches, the VLAN and a server.
    """
    taken: dict[tuple[int, int], str] = {}
    names: dict[tuple[str, int], int] = defaultdict(int)
    for spec in vswitches:
        names[spec.name, spec.vlan] += 1
        if names[spec.name, spec.vlan] > 1:
            raise ValueError(f"two vSwitches are named '{spec.name}' with VLAN {spec.vlan}: give one another name")
        for server in spec.servers:
            other = taken.setdefault((spec.vlan, server), spec.name)
            if other != spec.name:
                problem = f"'{other}' and '{spec.name}' would both give server {server} the VLAN {spec.vlan}"
                raise ValueError(f"vlan: {problem}: give one of them another VLAN")
