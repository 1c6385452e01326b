"""Load balancing: monitors and pools of an account, load balancers of a zone."""

from collections.abc import Callable
from typing import Any

from lab.cloudflare.errors import ApiError, new_id, stamp

Item = dict[str, Any]
MONITOR: Item = {
    "type": "http",
    "description": "",
    "method": "GET",
    "path": "/",
    "header": {},
    "timeout": 5,
    "retries": 2,
    "interval": 60,
    "expected_body": "",
    "expected_codes": "",
    "follow_redirects": False,
    "allow_insecure": False,
    "probe_zone": "",
    "consecutive_up": 0,
    "consecutive_down": 0,
}
POOL: Item = {
    "description": "",
    "enabled": True,
    "minimum_origins": 1,
    "monitor": None,
    "check_regions": None,
    "notification_email": "",
    "networks": ["cloudflare"],
    "load_shedding": {
        "default_percent": 0,
        "default_policy": "random",
        "session_percent": 0,
        "session_policy": "hash",
    },
    "origin_steering": {"policy": "random"},
}
ORIGIN: Item = {"enabled": True, "weight": 1, "header": {}, "flatten_cname": True, "port": 0}
BALANCER: Item = {
    "description": "",
    "enabled": True,
    "proxied": False,
    "session_affinity": "none",
    "session_affinity_attributes": {
        "samesite": "Auto",
        "secure": "Auto",
        "drain_duration": 0,
        "zero_downtime_failover": "none",
    },
    "steering_policy": "off",
    "region_pools": {},
    "country_pools": {},
    "pop_pools": {},
    "random_steering": {"default_weight": 1},
    "adaptive_routing": {"failover_across_pools": False},
    "location_strategy": {"mode": "pop", "prefer_ecs": "proximity"},
    "rules": [],
    "networks": ["cloudflare"],
}


def invalid(message: str) -> ApiError:
    """A refusal of what was sent."""
    return ApiError(400, 1002, f"{message}: validation failed")


def in_use(message: str) -> ApiError:
    """A refusal to take away what something else needs."""
    return ApiError(412, 1005, f"{message}: precondition failed")


class Shelf:
    """Objects of one kind, by id.

    Args:
        kind: what they are called in errors.
        complete: gives what is kept of what was sent, or raises :class:`ApiError`; told the id of the object.
    """

    def __init__(self, kind: str, complete: Callable[[Item, str], Item]) -> None:
        self._kind, self._complete = kind, complete
        self.items: dict[str, Item] = {}

    def all(self) -> list[Item]:
        """Every object, oldest first."""
        return list(self.items.values())

    def get(self, item_id: str) -> Item:
        """One object; :class:`ApiError` if there is none."""
        if item_id not in self.items:
            raise ApiError(404, 1001, f"{self._kind} not found: resource not found")
        return self.items[item_id]

    def create(self, given: Item) -> Item:
        """Add an object."""
        return self._keep({"id": new_id(), "created_on": stamp()}, given)

    def replace(self, item_id: str, given: Item) -> Item:
        """Write an object anew (PUT): what is not given falls back to its default."""
        return self._keep(self.get(item_id), given)

    def change(self, item_id: str, given: Item) -> Item:
        """Change an object (PATCH): what is not given stays."""
        return self._keep(self.get(item_id), {**self.get(item_id), **given})

    def delete(self, item_id: str) -> Item:
        """Remove an object and return it."""
        found = self.get(item_id)
        del self.items[item_id]
        return found

    def _keep(self, old: Item, given: Item) -> Item:
        wanted = {
            name: value for name, value in given.items() if value is not None and name not in {"id", "created_on"}
        }
        item = {
            **self._complete(wanted, old["id"]),
            "id": old["id"],
            "created_on": old["created_on"],
            "modified_on": stamp(),
        }
        self.items[item["id"]] = item
        return item


class AccountBalancing:
    """The monitors and pools of an account."""

    def __init__(self) -> None:
        self.monitors = Shelf("monitor", _monitor)
        self.pools = Shelf("pool", self._pool)

    def delete_monitor(self, monitor_id: str) -> Item:
        """Remove a monitor that no pool uses."""
        if any(pool.get("monitor") == monitor_id for pool in self.pools.all()):
            raise in_use("monitor is in use by a pool")
        return self.monitors.delete(monitor_id)

    def _pool(self, given: Item, item_id: str) -> Item:
        origins, name = given.get("origins"), given.get("name")
        if not name:
            raise invalid("name is required")
        if any(pool["name"] == name and pool["id"] != item_id for pool in self.pools.all()):
            raise invalid(f"name {name} is in use already: resource not unique")
        if not origins:
            raise invalid("a pool must have at least one origin")
        if given.get("monitor"):
            self.monitors.get(given["monitor"])
        for origin in origins:
            if not origin.get("name") or not origin.get("address"):
                raise invalid("origins must have a name and an address")
        return {**POOL, **given, "origins": [{**ORIGIN, **origin} for origin in origins]}


class LoadBalancers(Shelf):
    """The load balancers of one zone."""

    def __init__(self, zone_name: str, account: AccountBalancing) -> None:
        super().__init__("load balancer", self._balancer)
        self._zone_name, self._account = zone_name, account

    def uses(self, pool_id: str) -> bool:
        """Whether one of them sends anything to the pool."""
        return any(pool_id in (*item["default_pools"], item["fallback_pool"]) for item in self.all())

    def _balancer(self, given: Item, item_id: str) -> Item:
        name = str(given.get("name") or "").lower()
        if name != self._zone_name and not name.endswith(f".{self._zone_name}"):
            raise invalid(f"name must be a hostname within {self._zone_name}")
        if any(other["name"] == name and other["id"] != item_id for other in self.all()):
            raise invalid(f"name {name} is in use already: resource not unique")
        pools = [*(given.get("default_pools") or []), given.get("fallback_pool")]
        if len(pools) == 1 or pools[-1] is None:
            raise invalid("default_pools and fallback_pool are required")
        for pool in pools:
            self._account.pools.get(pool)
        if given.get("proxied") and given.get("ttl"):
            raise invalid("ttl must not be set on proxied load balancers")
        return {**BALANCER, **given, "name": name, "zone_name": self._zone_name}


def _monitor(given: Item, _item_id: str) -> Item:
    item = {**MONITOR, **given}
    if item["type"] not in {"http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp"}:
        raise invalid(f"type {item['type']} is not supported")
    if item["timeout"] >= item["interval"] or not 5 <= item["interval"] <= 3600:  # noqa: PLR2004 - the API's own bounds
        raise invalid("interval must be between 5 and 3600 and greater than timeout")
    return item
