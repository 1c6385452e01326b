"""The facts that a pack by hand has: what the stack's configuration says. Pure.

``slipway:spec``, which the program needs anyway, says what was reserved for the workload. ``slipway:pools`` and
``slipway:node`` are optional: rules that need them are skipped without, and say so.
"""

import ipaddress
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.policy.context import Network, NodeFacts, PolicyContext, Room
from components.specs import BareMetalSpec, Resources, parse_workload_spec

SPEC, POOLS, NODE = "slipway:spec", "slipway:pools", "slipway:node"


class BadConfiguration(ValueError):  # noqa: N818 - reads as a state, as the errors of the rules do
    """A configuration value of the stack is wrong; the message names it and says what it should be."""


class _Pools(BaseModel):
    pools: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


class _Room(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cores: int
    memory_mib: int
    disk_gib: int

    def room(self) -> Room:
        """Return it as the rules want it."""
        return Room(self.cores, self.memory_mib, self.disk_gib)


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str
    node_class: str = Field(alias="class")
    total: _Room | None = None
    used: _Room | None = None


def context_of(configuration: Mapping[str, str], now: datetime | None = None) -> PolicyContext:
    """Return the facts that a stack's configuration gives, keys with their namespace.

    Raises:
        BadConfiguration: naming the value that is wrong.
    """
    spec_text = configuration.get(SPEC)
    spec = None if spec_text is None else _parsed(SPEC, spec_text, parse_workload_spec, "a workload's spec")
    pools_text, node_text = configuration.get(POOLS), configuration.get(NODE)
    pools = None if pools_text is None else _parsed(POOLS, pools_text, _pools, "a list of networks")
    node = None if node_text is None else _parsed(NODE, node_text, _node, 'an object with "name" and "class"')
    at = now or datetime.now(UTC)
    if spec is None:
        return PolicyContext(now=at, pools=pools, node=node)
    return PolicyContext(
        now=at,
        kind=spec.kind,
        order_id=spec.order_id,
        node=node,
        machine=spec.machine if isinstance(spec, BareMetalSpec) else None,
        held=_held(spec.resources),
        pools=pools,
        addresses=(ipaddress.ip_network(spec.network.ipv4.address), spec.network.ipv6.network),
        vmid=None if isinstance(spec, BareMetalSpec) else spec.placement.vmid,
        fqdn=spec.dns.fqdn,
    )


def _parsed(key: str, text: str, parse: Any, wanted: str) -> Any:
    try:
        return parse(json.loads(text))
    except json.JSONDecodeError as error:
        raise BadConfiguration(f"'{key}' is not JSON ({error}): it should be {wanted}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadConfiguration(f"'{key}' is wrong ({problems}): it should be {wanted}") from None


def _pools(document: object) -> tuple[Network, ...]:
    return _Pools.model_validate({"pools": document}).pools


def _node(document: object) -> NodeFacts:
    node = _Node.model_validate(document)
    total, used = (None if room is None else room.room() for room in (node.total, node.used))
    return NodeFacts(node.name, node.node_class, total, used)


def _held(resources: Resources) -> Room:
    return Room(resources.cores, resources.memory_mib, resources.disk_gib)
