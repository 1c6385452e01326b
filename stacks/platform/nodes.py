"""The program of the ``nodes`` stack."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi

from components.platform.node import Node
from components.platform.node_installation import InstalledNodes
from components.platform.node_network import PrivateNetwork, lans_of, vswitch_of
from components.platform.node_templates import report_of
from components.platform.node_things import NodeThings
from components.pve_access.errors import AccessError, Unreachable
from components.pve_access.node import log_in
from components.specs.platform import HostReport, PlatformKind, credential_variable
from components.specs.platform.nodes import NODE_EXPORTER, NodeSpec, NodesSpec
from stacks.platform.program import Declared, Estate


@dataclass(frozen=True)
class _NodePlace:
    node: str
    endpoint: str
    verify_tls: bool


class NodesProgram:
    """Declares every node of an estate, each behind a provider of its own."""

    def __init__(self, spec: NodesSpec, estate: Estate) -> None:
        self._spec = spec
        self._estate = estate

    def declare(self) -> Declared:
        """Declare the nodes.

        Raises:
            pulumi.RunError: names each variable of the environment that is missing, before anything exists.
        """
        endpoints = {node.name: _endpoint(node) for node in self._spec.nodes}
        _require([node.name for node in self._spec.nodes], endpoints)
        private = self._private_network()
        installed = self._installations()
        nodes = [self._node(node, endpoints[node.name], private, installed.get(node.name)) for node in self._spec.nodes]
        reports = [self._report(node, endpoints[node.name]) for node in self._spec.nodes]
        return Declared(
            outputs={"nodes": {node.name: _output(node, endpoints[node.name]) for node in self._spec.nodes}},
            report={"nodes": reports, "hosts": [_host(node).model_dump(mode="json") for node in self._spec.nodes]},
            resources=[*installed.values(), *(resource for node in nodes for resource in node.declared)],
        )

    def _installations(self) -> Mapping[str, pulumi.Resource]:
        """What makes each server a node, by name."""
        specs = self._spec.installations
        return InstalledNodes(f"{self._estate.name}-nodes", specs).installations if specs else {}

    def _node(
        self, node: NodeSpec, endpoint: str, private: PrivateNetwork | None, installed: pulumi.Resource | None
    ) -> Node:
        after = pulumi.ResourceOptions(depends_on=[installed] if installed is not None else [])
        with _things(node, endpoint, may_be_blank=installed is not None) as there:
            return Node(node.name, node, endpoint=endpoint, shared=self._spec, private=private, there=there, opts=after)

    def _private_network(self) -> PrivateNetwork | None:
        """What the network stack has made of the network between the nodes."""
        wanted = self._spec.private_network
        if wanted is None:
            return None
        vswitch = vswitch_of(self._estate.output(PlatformKind.NETWORK, "vswitches"), wanted.vswitch)
        lans = lans_of(self._estate.output(PlatformKind.NETWORK, "private_lans"), wanted) if wanted.lans else ()
        return PrivateNetwork(wanted, vswitch, lans, {node.name: node.private_address for node in self._spec.nodes})

    def _report(self, node: NodeSpec, endpoint: str) -> dict[str, Any]:
        templates = tuple(report_of(item, node.place) for item in self._spec.templates_of(node))
        return node.report(endpoint).model_copy(update={"templates": templates}).model_dump(mode="json")


@contextmanager
def _things(node: NodeSpec, endpoint: str, *, may_be_blank: bool) -> Iterator[NodeThings]:
    """What the node has already; a login a run. A server that is to be installed first has nothing."""
    try:
        api = log_in(_NodePlace(node.name, endpoint, node.verify_tls))
    except Unreachable as error:
        if not may_be_blank:
            raise pulumi.RunError(str(error)) from None
        yield NodeThings(node.name)
        return
    except AccessError as error:
        raise pulumi.RunError(str(error)) from None
    with api:
        yield NodeThings(node.name, lambda path: api.call("GET", path))


def _endpoint(node: NodeSpec) -> str:
    return node.endpoint or os.environ.get(credential_variable("PROXMOX_VE_ENDPOINT", node.name), "")


def _require(names: list[str], endpoints: dict[str, str]) -> None:
    missing = [credential_variable("PROXMOX_VE_ENDPOINT", name) for name in names if not endpoints[name]]
    passwords = [credential_variable("PROXMOX_VE_PASSWORD", name) for name in names]
    missing += [variable for variable in passwords if not os.environ.get(variable)]
    if missing:
        raise pulumi.RunError(
            f"the environment lacks {', '.join(missing)}: set each node's API address and the password of root@pam"
        )


def _output(node: NodeSpec, endpoint: str) -> dict[str, str | bool]:
    return {
        "endpoint": endpoint,
        "class": node.workload_class,
        "storage": node.storage,
        "bridge": node.bridge,
        "private_address": str(node.private_address),
        "verify_tls": node.verify_tls,
    }


def _host(node: NodeSpec) -> HostReport:
    # Proxmox VE's own numbers come from its API, which Inventory knows as a target already.
    exporters = {"node": NODE_EXPORTER}
    return HostReport(name=node.name, role="node", address=str(node.private_address), exporters=exporters)
