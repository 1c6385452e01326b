"""The edge stack: what customers come in by, and what admins come in by."""

import os
from collections.abc import Mapping
from typing import Any

import pulumi

from components.platform.cloud_server import Surroundings
from components.platform.edge.bastion import Bastion
from components.platform.edge.bastion_boot import NODE_EXPORTER_PORT
from components.platform.edge.entry import ApiPlace, PooledEntry, ProxiedEntry, Tunnel
from components.platform.edge.load_balancer import LoadBalancer
from components.platform.edge.zone import EdgeRules, EdgeZone, OwnRecords
from components.specs.platform import PlatformKind
from components.specs.platform.edge import EdgeSpec
from components.specs.platform.report import HostReport
from components.specs.platform.vpn import VpnSpec
from stacks.platform.program import Declared, Estate

SUBNET, FIREWALL = "edge", "bastion"


class EdgeProgram:
    """Declares zone, rules, the way to the API, and the bastion.

    Args:
        spec: the stack's configuration.
        estate: whose edge it is; its network stack has the subnet and the firewall.
        environment: where ``CLOUDFLARE_ACCOUNT_ID`` is read; this process's by default.
    """

    def __init__(self, spec: EdgeSpec, estate: Estate, environment: Mapping[str, str] | None = None) -> None:
        self._spec, self._estate = spec, estate
        self._environment = os.environ if environment is None else environment
        self._labels = {**estate.labels, "stack": PlatformKind.EDGE.value}

    def declare(self) -> Declared:
        """Declare everything, and export what the other stacks and the admins need."""
        spec, name, account_id = self._spec, self._estate.name, self._account_id()
        zone = EdgeZone(name, spec.zone, account_id=account_id)
        records = OwnRecords(name, spec.records, zone_id=zone.zone_id)
        rules = EdgeRules(name, zone_id=zone.zone_id, waf=spec.waf, limits=spec.rate_limits)
        balancer, bastion = self._balancer(), self._bastion()
        entry, tunnel_id = self._entry(zone.zone_id, account_id, balancer)
        outputs: dict[str, pulumi.Input[Any]] = {
            "zone_id": zone.zone_id,
            "api_hostname": spec.api_hostname,
            "tunnel": {"account_id": account_id, "id": tunnel_id} if tunnel_id is not None else None,
            "load_balancer": {"id": balancer.load_balancer_id, "ipv4": balancer.ipv4} if balancer is not None else None,
            "bastion": {"ipv4": bastion.ipv4, "private_address": bastion.private_address},
            "vpn": spec.bastion.vpn.model_dump(mode="json", include={"cidr", "port"}),
            "vpn_peers": bastion.peers,
            "vpn_clients": bastion.clients,
        }
        owned = [zone, records, rules, entry, bastion, *([balancer] if balancer is not None else [])]
        return Declared(outputs=outputs, report=self._report(zone.zone_id), resources=owned)

    def _account_id(self) -> str:
        """The account that the zone, tunnels and pools are in.

        Raises:
            pulumi.RunError: if neither configuration nor environment names it.
        """
        account_id = self._spec.zone.account_id or self._environment.get("CLOUDFLARE_ACCOUNT_ID")
        if not account_id:
            raise pulumi.RunError(
                "give 'zone.account_id', or set CLOUDFLARE_ACCOUNT_ID, to the id of the Cloudflare account"
            )
        return account_id

    def _subnet_id(self) -> pulumi.Output[str]:
        return self._network("subnets", SUBNET).apply(lambda subnet: str(subnet["id"]))

    def _network(self, output: str, item: str) -> pulumi.Output[Any]:
        """One item of an output of the network stack, by its name."""

        def find(items: Mapping[str, Any]) -> Any:
            if item not in items:
                raise pulumi.RunError(f"the network stack has no '{item}' in its output '{output}': add it there first")
            return items[item]

        return self._estate.output(PlatformKind.NETWORK, output).apply(find)

    def _balancer(self) -> LoadBalancer | None:
        spec = self._spec.balancer
        if spec is None:
            return None
        return LoadBalancer(spec.name, spec, subnet_id=self._subnet_id(), labels=self._labels)

    def _bastion(self) -> Bastion:
        spec = self._spec.bastion
        planned = self._estate.output(PlatformKind.NETWORK, "vpn").apply(lambda plan: check_vpn(spec.vpn, plan))
        around = Surroundings(
            # No server is made before the VPN was held against the address plan.
            subnet_id=pulumi.Output.all(planned, self._subnet_id()).apply(lambda both: str(both[1])),
            ssh_keys=self._estate.output(PlatformKind.NETWORK, "ssh_keys"),
            firewall_ids=[self._network("firewalls", FIREWALL)],
            labels=self._labels,
        )
        return Bastion(spec.server.name, spec, around=around)

    def _entry(
        self, zone_id: pulumi.Output[str], account_id: str, balancer: LoadBalancer | None
    ) -> tuple[pulumi.Resource, pulumi.Output[str] | None]:
        """The API's way in, and its tunnel's id if it is one."""
        spec, name = self._spec, f"{self._estate.name}-api"
        entry, place = spec.api.entry, ApiPlace(account_id, zone_id, spec.api_hostname)
        if entry.kind == "pooled":
            own = balancer.ipv4 if balancer is not None else None
            return PooledEntry(name, entry, place=place, own=own), None
        if balancer is None or spec.balancer is None:
            raise pulumi.RunError(f"'api.entry' is '{entry.kind}' and leads nowhere: give a 'balancer'")
        if entry.kind == "proxied":
            return ProxiedEntry(name, place, kind="A", content=balancer.ipv4), None
        tunnel = Tunnel(name, entry, place=place, balancer=spec.balancer)
        return ProxiedEntry(name, place, kind="CNAME", content=tunnel.target), tunnel.tunnel_id

    def _report(self, zone_id: pulumi.Output[str]) -> dict[str, pulumi.Input[Any]]:
        zone, server = self._spec.zone, self._spec.bastion.server
        host = HostReport(
            name=server.name,
            role="bastion",
            address=str(server.private_address),
            exporters={"node": NODE_EXPORTER_PORT},
        )
        told = {"name": zone.name, "provider_zone_id": zone_id, "holds_workloads": zone.holds_workloads}
        return {"dns_zones": [told], "hosts": [host.model_dump(mode="json")]}


def check_vpn(spec: VpnSpec, plan: Mapping[str, Any] | None) -> None:
    """Hold the VPN against the network stack's address plan.

    Raises:
        pulumi.RunError: if they differ: the firewalls of all hosts are made from the plan.
    """
    ours = spec.model_dump(mode="json", include={"cidr", "port"})
    planned = {key: plan[key] for key in ours} if plan is not None else None
    if planned is not None and {**planned, "port": int(planned["port"])} != ours:
        raise pulumi.RunError(f"'bastion.vpn' is {ours} here and {planned} in the network stack: give both the same")
