"""A Robot vSwitch: one VLAN between dedicated servers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from components.specs.network import Frozen

FIRST_VLAN, LAST_VLAN = 4000, 4091
MOST_SERVERS, MOST_VSWITCHES_PER_SERVER = 100, 5
"""Hetzner's own limits: the VLANs that a vSwitch may have, the servers on one, and the vSwitches of one server."""

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


def vlan_clashes(vswitches: Sequence[VSwitchSpec]) -> Iterator[tuple[int, str, str]]:
    """Hold vSwitches against each other; yield the place in the list, the field and the problem of each clash.

    Robot refuses a server that would have one VLAN twice, or be on too many vSwitches.
    """
    taken: dict[tuple[int, int], str] = {}
    known: set[tuple[str, int]] = set()
    joined: dict[int, int] = defaultdict(int)
    for index, spec in enumerate(vswitches):
        if (spec.name, spec.vlan) in known:
            yield index, "name", f"two vSwitches are named '{spec.name}' with VLAN {spec.vlan}: give one another name"
        known.add((spec.name, spec.vlan))
        for server in spec.servers:
            joined[server] += 1
            if joined[server] > MOST_VSWITCHES_PER_SERVER:
                yield index, "servers", f"server {server} would be on more than {MOST_VSWITCHES_PER_SERVER} vSwitches"
            other = taken.setdefault((spec.vlan, server), spec.name)
            if other != spec.name:
                problem = f"'{other}' and '{spec.name}' would both give server {server} the VLAN {spec.vlan}"
                yield index, "vlan", f"{problem}: give one of them another VLAN"


def check_vlans(vswitches: Iterable[VSwitchSpec]) -> None:
    """Refuse vSwitches that clash with each other.

    Raises:
        ValueError: names the field, both vSwitches, the VLAN and a server.
    """
    for _, field, problem in vlan_clashes(tuple(vswitches)):
        raise ValueError(f"{field}: {problem}")
