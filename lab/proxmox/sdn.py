"""Software-defined networks: zones, vnets, subnets, where fakepve has only generic answers.

Follows pve-network (``PVE/API2/Network/SDN/*.pm``, ``PVE/Network/SDN.pm``, ``Zones/VxlanPlugin.pm``): what is written
is one thing, what runs is what was written when it was last applied, and ``pending=1`` shows the difference.
"""

import copy
import ipaddress
from typing import Any

from fakepve import schema
from fakepve.routing import die, param_error, sha1, split_list

from lab.proxmox.answers import convert
from lab.proxmox.network import NodeNetworks

Values = dict[str, Any]
Objects = dict[str, Values]

_ZONES, _VNETS, _SUBNETS = "/cluster/sdn/zones", "/cluster/sdn/vnets", "/cluster/sdn/vnets/{vnet}/subnets"
_ZONE, _VNET, _SUBNET = f"{_ZONES}/{{zone}}", f"{_VNETS}/{{vnet}}", f"{_SUBNETS}/{{subnet}}"
_REQUEST_ONLY = frozenset({"pending", "running", "delete", "digest", "lock-token", "node"})
KINDS = ("zones", "vnets", "subnets")
_TITLES = {"zones": "sdn", "vnets": "sdn vnet", "subnets": "sdn subnet"}


def pending_of(running: Values | None, written: Values | None) -> Values:
    """One object as ``pending=1`` shows it (``PVE::Network::SDN::pending_config``)."""
    shown = dict(running or {})
    pending: Values = {}
    if written is None:
        return {**shown, "state": "deleted", "pending": {}}
    for key in shown.keys() - written.keys():
        pending[key] = "deleted"
    for key, value in written.items():
        if key in {"type", "vnet"}:
            shown[key] = value
        elif key not in shown or str(shown[key]) != str(value):
            pending[key] = value
    if running is None:
        return {**shown, "state": "new", "pending": pending}
    return {**shown, "state": "changed", "pending": pending} if pending else shown


class SoftwareNetworks(NodeNetworks):
    """Zones, vnets and subnets of the node, written and running."""

    sdn: dict[str, Objects]
    sdn_running: dict[str, Objects]

    def as_installed(self) -> None:
        """None."""
        super().as_installed()
        self.sdn = {kind: {} for kind in KINDS}
        self.sdn_running = {kind: {} for kind in KINDS}

    def remembered(self) -> Values:
        """Both, so that a restart applies nothing."""
        return {**super().remembered(), "sdn": (self.sdn, self.sdn_running)}

    def remember(self, kept: Values) -> None:
        """Have again what an earlier run had."""
        super().remember(kept)
        self.sdn, self.sdn_running = kept["sdn"]

    def _routes_sdn(self) -> list[tuple[str, str, Any]]:
        return [
            ("PUT", "/cluster/sdn", self._sdn_apply),
            ("GET", _ZONES, self._zone_list),
            ("POST", _ZONES, self._zone_create),
            ("GET", _ZONE, self._zone_read),
            ("PUT", _ZONE, self._zone_update),
            ("DELETE", _ZONE, self._zone_delete),
            ("GET", _VNETS, self._vnet_list),
            ("POST", _VNETS, self._vnet_create),
            ("GET", _VNET, self._vnet_read),
            ("PUT", _VNET, self._vnet_update),
            ("DELETE", _VNET, self._vnet_delete),
            ("GET", _SUBNETS, self._subnet_list),
            ("POST", _SUBNETS, self._subnet_create),
            ("GET", _SUBNET, self._subnet_read),
            ("PUT", _SUBNET, self._subnet_update),
            ("DELETE", _SUBNET, self._subnet_delete),
        ]

    async def _sdn_apply(self, v: Values, user: str) -> str:
        del v

        async def body() -> None:
            self.reload()  # each node is told to reload its networks (`create_reload_network_worker`)
            self.sdn_running = copy.deepcopy(self.sdn)

        return str(await self.task(next(iter(self.nodes)), "reloadnetworkall", "", user, body))

    # ------------------------------------------------------------------ what all three kinds share

    def _view(self, kind: str, v: Values) -> Objects:
        written, running = self.sdn[kind], self.sdn_running[kind]
        if v.get("pending"):
            names = [*running, *(name for name in written if name not in running)]
            return {name: pending_of(running.get(name), written.get(name)) for name in names}
        return running if v.get("running") else written

    def _shown(self, kind: str, name: str, values: Values) -> Values:
        template = {"zones": _ZONE, "vnets": _VNET, "subnets": _SUBNET}[kind]
        declared = schema.load().paths[template]["PUT"]["parameters"]["properties"]

        def typed(part: Values) -> Values:
            return {
                key: typed(value) if isinstance(value, dict) else convert(declared.get(key, {}).get("type"), value)
                for key, value in part.items()
            }

        digest = sha1(repr(sorted(self.sdn[kind].items())))
        return {**typed(values), kind.removesuffix("s"): name, "digest": digest}

    def _one(self, kind: str, name: str, v: Values) -> Values:
        found = self._view(kind, v).get(name)
        if found is None:
            raise die(f"{_TITLES[kind]} '{name}' does not exist")
        return self._shown(kind, name, found)

    def _add(self, kind: str, name: str, v: Values) -> None:
        if name in self.sdn[kind]:
            thing = f"sdn {kind.removesuffix('s')} object"
            raise die(f"create {thing} failed: {thing} ID '{name}' already defined")
        self.sdn[kind][name] = {key: value for key, value in v.items() if key not in _REQUEST_ONLY}

    def _change(self, kind: str, name: str, v: Values) -> None:
        self._one(kind, name, {})
        kept = self.sdn[kind][name]
        for key in split_list(v.get("delete")):
            kept.pop(key, None)
        kept.update({key: value for key, value in v.items() if key not in _REQUEST_ONLY})

    # ------------------------------------------------------------------ zones

    async def _zone_list(self, v: Values, user: str) -> list[Values]:
        del user
        return [self._shown("zones", name, values) for name, values in sorted(self._view("zones", v).items())]

    async def _zone_read(self, v: Values, user: str) -> Values:
        del user
        return self._one("zones", v["zone"], v)

    async def _zone_create(self, v: Values, user: str) -> None:
        del user
        name = v.pop("zone")
        if v["type"] == "vxlan" and not v.get("peers"):
            problem = "must have exactly one of peers / fabric defined"
            raise param_error(peers=problem, fabric=problem)
        self._add("zones", name, v)

    async def _zone_update(self, v: Values, user: str) -> None:
        del user
        self._change("zones", v.pop("zone"), v)

    async def _zone_delete(self, v: Values, user: str) -> None:
        del user
        self._one("zones", v["zone"], {})
        for name, vnet in self.sdn["vnets"].items():
            if vnet["zone"] == v["zone"]:
                raise die(f"delete sdn zone object failed: zone {v['zone']} is used by vnet {name}")
        del self.sdn["zones"][v["zone"]]

    # ------------------------------------------------------------------ vnets

    async def _vnet_list(self, v: Values, user: str) -> list[Values]:
        del user
        return [self._shown("vnets", name, values) for name, values in sorted(self._view("vnets", v).items())]

    async def _vnet_read(self, v: Values, user: str) -> Values:
        del user
        self._one("vnets", v["vnet"], {})  # who may read it is looked up in what is written: nothing there, no answer
        return self._one("vnets", v["vnet"], v)

    async def _vnet_create(self, v: Values, user: str) -> None:
        del user
        name = v.pop("vnet")
        self._check_vnet(name, v)
        self._add("vnets", name, {"type": "vnet", **v})

    async def _vnet_update(self, v: Values, user: str) -> None:
        del user
        name = v.pop("vnet")
        self._one("vnets", name, {})
        before = self.sdn["vnets"][name]
        if v.get("zone", before["zone"]) != before["zone"] and self._subnets_of(name):
            raise param_error(zone="can't change zone if subnets exist")
        gone = set(split_list(v.get("delete")))
        self._check_vnet(name, {key: value for key, value in {**before, **v}.items() if key not in gone})
        self._change("vnets", name, v)

    async def _vnet_delete(self, v: Values, user: str) -> None:
        del user
        self._one("vnets", v["vnet"], {})
        if self._subnets_of(v["vnet"]):
            raise param_error(vnet="Can't delete vnet if subnets exists")
        del self.sdn["vnets"][v["vnet"]]

    def _check_vnet(self, name: str, vnet: Values) -> None:
        zone = self.sdn["zones"].get(vnet["zone"])
        if zone is None:
            raise die(f"create sdn vnet object failed: zone '{vnet['zone']}' does not exist")
        if zone["type"] != "vxlan":
            return
        if not vnet.get("tag"):
            raise param_error(tag="missing vxlan tag")
        for other, kept in self.sdn["vnets"].items():
            if other != name and str(kept.get("tag")) == str(vnet["tag"]):
                problem = f"vxlan tag {vnet['tag']} already exist in vnet {other} in zone {kept['zone']} "
                raise param_error(tag=problem)

    # ------------------------------------------------------------------ subnets

    def _subnets_of(self, vnet: str) -> Objects:
        return {name: kept for name, kept in self.sdn["subnets"].items() if kept["vnet"] == vnet}

    async def _subnet_list(self, v: Values, user: str) -> list[Values]:
        del user
        return [
            self._shown("subnets", name, values)
            for name, values in sorted(self._view("subnets", v).items())
            if values.get("vnet") == v["vnet"] or values.get("pending", {}).get("vnet") == v["vnet"]
        ]

    async def _subnet_read(self, v: Values, user: str) -> Values:
        del user
        return self._one("subnets", v["subnet"], v)

    async def _subnet_create(self, v: Values, user: str) -> None:
        del user
        cidr = v.pop("subnet")
        self._one("vnets", v["vnet"], {})
        name = f"{self.sdn['vnets'][v['vnet']]['zone']}-{cidr.replace('/', '-')}"
        gateway = v.get("gateway")
        if gateway and ipaddress.ip_address(gateway) not in ipaddress.ip_network(cidr):
            raise param_error(gateway=f"{gateway} is not in subnet {name}")
        self._add("subnets", name, v)

    async def _subnet_update(self, v: Values, user: str) -> None:
        del user
        self._change("subnets", v.pop("subnet"), v)

    async def _subnet_delete(self, v: Values, user: str) -> None:
        del user
        self._one("subnets", v["subnet"], {})
        del self.sdn["subnets"][v["subnet"]]
