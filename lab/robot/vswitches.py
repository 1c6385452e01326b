"""vSwitches: names, VLANs, the servers on them, and the time that a change takes. No I/O."""

import re

from lab.robot.errors import ApiError, invalid_input
from lab.robot.form import Form, listed, required
from lab.robot.world import FIRST_VSWITCH, Item, World, named

FIRST_VLAN, LAST_VLAN = 4000, 4091
MOST_VSWITCHES, MOST_SERVERS, MOST_PER_SERVER = 100, 100, 5
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class VSwitches:
    """The vSwitches of an account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[Item]:
        """Every vSwitch in short, cancelled ones too as long as they are there."""
        self._settle()
        return [_short(item) for item in self._world.vswitches.values()]

    def get(self, number: int) -> Item:
        """One vSwitch with its servers; 404 NOT_FOUND."""
        return self._show(self._find(number))

    def create(self, form: Form) -> Item:
        """Add a vSwitch. A second one of the same name and VLAN is another one, as in the real service."""
        self._settle()
        name, vlan = _checked(form)
        if len(self._world.vswitches) >= MOST_VSWITCHES:
            raise ApiError(409, "VSWITCH_LIMIT_REACHED", "The maximum count of vSwitches is reached")
        number = FIRST_VSWITCH + self._world.next_number()
        self._world.vswitches[number] = {
            "id": number,
            "name": name,
            "vlan": vlan,
            "cancelled": False,
            "gone_at": None,
            "busy_until": 0.0,
            "server": {},
            "leaving": [],
            "subnet": [],
            "cloud_network": [],
        }
        return self._show(self._world.vswitches[number])

    def change(self, number: int, form: Form) -> None:
        """Rename a vSwitch or give it another VLAN."""
        item = self._free(number)
        name, vlan = _checked({"name": item["name"], "vlan": str(item["vlan"]), **form})
        if vlan != item["vlan"]:
            for server in item["server"]:
                self._check_vlan(server, vlan, besides=number)
            self._be_busy(item, list(item["server"]))
        item.update(name=name, vlan=vlan)

    def cancel(self, number: int, form: Form) -> None:
        """Cancel a vSwitch to a date or ``now``; it stays in the list until it is gone."""
        item = self._find(number)
        (date,) = required(form, "cancellation_date")
        if item["cancelled"]:
            raise ApiError(409, "CONFLICT", "The vSwitch is already cancelled")
        if date != "now" and not (_DATE.fullmatch(date) and date >= self._world.today()):
            raise invalid_input(invalid=["cancellation_date"])
        item["cancelled"] = True
        if date in {"now", self._world.today()}:
            item["gone_at"] = self._world.clock() + self._world.switching

    def attach(self, number: int, form: Form) -> None:
        """Add servers; all or none."""
        item = self._free(number)
        servers = self._servers(form)
        new = [server for server in servers if server not in item["server"]]
        if len(item["server"]) + len(new) > MOST_SERVERS:
            raise ApiError(409, "VSWITCH_SERVER_LIMIT_REACHED", "The maximum number of servers is reached")
        for server in new:
            self._check_vlan(server, item["vlan"], besides=number)
            if sum(server in other["server"] for other in self._world.vswitches.values()) >= MOST_PER_SERVER:
                message = f"The maximum number of vSwitches is reached for server {server}"
                raise ApiError(409, "VSWITCH_PER_SERVER_LIMIT_REACHED", message)
        self._be_busy(item, new)

    def detach(self, number: int, form: Form) -> None:
        """Remove servers; all or none."""
        item = self._free(number)
        servers = self._servers(form)
        strangers = [str(server) for server in servers if server not in item["server"]]
        if strangers:
            raise ApiError(404, "SERVER_NOT_FOUND", f"Server {', '.join(strangers)} not found in vSwitch")
        item["leaving"] = servers
        self._be_busy(item, servers)

    def couple(self, number: int, subnets: list[Item], cloud_networks: list[Item]) -> None:
        """Book subnets and couple cloud networks, which in reality happens elsewhere than in this API."""
        self._find(number).update(subnet=subnets, cloud_network=cloud_networks)

    def fail(self, number: int, server: int) -> None:
        """Let the network fail to put one server onto the vSwitch."""
        self._find(number)["server"][server] = "failed"

    def _find(self, number: int) -> Item:
        self._settle()
        if number not in self._world.vswitches:
            raise ApiError(404, "NOT_FOUND", "vSwitch not found")
        return self._world.vswitches[number]

    def _free(self, number: int) -> Item:
        item = self._find(number)
        if item["busy_until"] > self._world.clock():
            message = "The vSwitch cannot be updated because an update is currently running"
            raise ApiError(409, "VSWITCH_IN_PROCESS", message)
        if item["cancelled"]:
            raise ApiError(409, "CONFLICT", "The vSwitch is already cancelled")
        return item

    def _settle(self) -> None:
        """Bring to an end what the network has had its time for."""
        now = self._world.clock()
        for number, item in list(self._world.vswitches.items()):
            if item["gone_at"] is not None and item["gone_at"] <= now:
                del self._world.vswitches[number]
            elif item["busy_until"] <= now:
                for server in item["leaving"]:
                    item["server"].pop(server, None)
                item["leaving"] = []
                for server, status in item["server"].items():
                    item["server"][server] = "ready" if status == "in process" else status

    def _be_busy(self, item: Item, servers: list[int]) -> None:
        if servers:
            item["server"].update(dict.fromkeys(servers, "in process"))
            item["busy_until"] = self._world.clock() + self._world.switching

    def _servers(self, form: Form) -> list[int]:
        required(form, "server")
        return [self._world.server(text)["server_number"] for text in dict.fromkeys(listed(form, "server"))]

    def _check_vlan(self, server: int, vlan: int, besides: int) -> None:
        for other in self._world.vswitches.values():
            if other["id"] != besides and other["vlan"] == vlan and server in other["server"]:
                message = f"Server {server} is already in a vSwitch with VLAN ID {vlan}"
                raise ApiError(409, "VSWITCH_VLAN_NOT_UNIQUE", message)

    def _show(self, item: Item) -> Item:
        servers = [
            {**named(self._world.servers[number]), "status": status} for number, status in item["server"].items()
        ]
        return {**_short(item), "server": servers, "subnet": item["subnet"], "cloud_network": item["cloud_network"]}


def _short(item: Item) -> Item:
    return {key: item[key] for key in ("id", "name", "vlan", "cancelled")}


def _checked(form: Form) -> tuple[str, int]:
    name, vlan = required(form, "name", "vlan")
    if not (vlan.isdecimal() and FIRST_VLAN <= int(vlan) <= LAST_VLAN):
        raise invalid_input(invalid=["vlan"])
    return name, int(vlan)
