"""One Proxmox VE node with everything on it that is not a customer's."""

from collections.abc import Sequence

import pulumi
import pulumi_proxmoxve as proxmox

from components.platform.node_access import declare_access
from components.platform.node_firewall import NodeFirewall
from components.platform.node_metrics import declare_metric_server
from components.platform.node_network import NodeNetwork, PrivateNetwork
from components.platform.node_provider import node_provider
from components.platform.node_storage import declare_storage
from components.platform.node_templates import NodeTemplates
from components.platform.node_things import NodeThings
from components.platform.node_token import NodeAccess
from components.specs.platform.nodes import NodeSpec, NodesSpec


class Node(pulumi.ComponentResource):
    """A node behind a provider of its own: storages, networks, templates, pool, access, firewall, metric servers.

    The provider logs in as ``root@pam``, because only root may set up users and networks, with the password from
    ``PROXMOX_VE_PASSWORD_<NODE>`` in the engine's environment. The control plane gets a token that may do less.
    """

    declared: Sequence[pulumi.Resource]
    """What has to be there before a guest may come."""

    def __init__(  # noqa: PLR0913 - the node, and what it shares with the others
        self,
        name: str,
        spec: NodeSpec,
        *,
        endpoint: str,
        shared: NodesSpec,
        private: PrivateNetwork | None = None,
        there: NodeThings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:Node", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        provider = node_provider(name, endpoint=endpoint, verify_tls=spec.verify_tls, opts=own)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        storages = [declare_storage(f"{name}-{item.name}", item, there, child) for item in spec.storages]
        pool = _pool(name, spec.workload_class, there, child)
        templates = shared.templates_of(spec)
        machines = [template.vmid for template in templates if template.vmid is not None]
        granted = declare_access(name, spec.grants(machines), storages, there, child)
        wanted = shared.firewall.on(name, endpoint, verify_tls=spec.verify_tls)
        firewall = NodeFirewall(name, wanted, opts=own)
        metrics = [declare_metric_server(name, item, there, child) for item in shared.metric_servers]
        group = pulumi.ResourceOptions(parent=self, providers=[provider])
        network = NodeNetwork(name, spec.network, private=private, there=there, opts=group)
        made = NodeTemplates(
            name, templates, place=spec.place, there=there, after=[*storages, *network.made], opts=group
        )
        self.declared = [*storages, pool, *network.made, *made.made, *granted, firewall, *metrics]
        if shared.tells_inventory:
            access = NodeAccess(f"{name}-control-plane", spec.access(endpoint, machines), after=granted, opts=own)
            self.declared = [*self.declared, access]
        self.register_outputs({"endpoint": endpoint})


def _pool(name: str, workload_class: str, there: NodeThings, opts: pulumi.ResourceOptions) -> proxmox.PoolLegacy:
    comment = f"Guests of the class {workload_class}"
    taken = there.take_over("pool", workload_class, {"comment": comment}, opts)
    return proxmox.PoolLegacy(name, pool_id=workload_class, comment=comment, opts=taken)
