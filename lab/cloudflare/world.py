"""Everything that the account has: zones with what is in them, load balancing, tunnels."""

from dataclasses import dataclass, field
from typing import Any

from lab.cloudflare.balancing import AccountBalancing, LoadBalancers, in_use
from lab.cloudflare.errors import ApiError, new_id, stamp
from lab.cloudflare.records import Zone
from lab.cloudflare.rulesets import Rulesets
from lab.cloudflare.tunnels import Tunnels
from lab.cloudflare.zone_settings import ZoneSettings

CHANGEABLE = ("paused", "type", "vanity_name_servers")


@dataclass
class Domain:
    """A zone with all that is in it."""

    zone: Zone
    balancers: LoadBalancers
    settings: ZoneSettings = field(default_factory=ZoneSettings)
    rulesets: Rulesets = field(default_factory=Rulesets)


@dataclass
class Contents:
    """What outlives a run."""

    balancing: AccountBalancing
    tunnels: Tunnels
    domains: dict[str, Domain] = field(default_factory=dict)


class World:
    """One account, empty at first."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.contents = Contents(AccountBalancing(), Tunnels(account_id))

    def add_zone(self, name: str, zone_id: str) -> Domain:
        """A zone that was there before anybody asked for it."""
        zone = Zone(zone_id, name, self.account_id)
        self.contents.domains[zone_id] = Domain(zone, LoadBalancers(name, self.contents.balancing))
        return self.contents.domains[zone_id]

    def create_zone(self, given: dict[str, Any]) -> Domain:
        """Take a zone up. It is ``pending`` until somebody looks at it: the lab's registrars are quick."""
        name = str(given.get("name") or "").lower().rstrip(".")
        if "." not in name:
            raise ApiError(400, 1099, f"{name or 'nothing'} is not a registered domain")
        self.check_account(str((given.get("account") or {}).get("id", "")))
        if any(domain.zone.name == name for domain in self.contents.domains.values()):
            raise ApiError(400, 1061, f"{name} already exists.")
        domain = self.add_zone(name, new_id())
        domain.zone.facts.update({"status": "pending", "activated_on": None, "type": given.get("type") or "full"})
        return domain

    def change_zone(self, zone_id: str, given: dict[str, Any]) -> Domain:
        """Change what of a zone can be changed, one property at a time."""
        domain = self.domain(zone_id)
        wanted = [name for name in CHANGEABLE if name in given]
        if len(wanted) != 1:
            raise ApiError(400, 1016, "This endpoint only supports changing one property at a time")
        domain.zone.facts.update({wanted[0]: given[wanted[0]], "modified_on": stamp()})
        return domain

    def delete_zone(self, zone_id: str) -> None:
        """Give a zone up with all that is in it."""
        self.domain(zone_id)
        del self.contents.domains[zone_id]

    def domain(self, zone_id: str) -> Domain:
        """One zone; :class:`ApiError` if it is not the account's."""
        if zone_id not in self.contents.domains:
            raise ApiError(403, 9109, "Unauthorized to access requested resource")
        return self.contents.domains[zone_id]

    def check_account(self, account_id: str) -> None:
        """Refuse what is not the account's; :class:`ApiError` then."""
        if account_id != self.account_id:
            raise ApiError(403, 9109, "Unauthorized to access requested resource")

    def delete_pool(self, pool_id: str) -> dict[str, Any]:
        """Remove a pool that no load balancer uses."""
        if any(domain.balancers.uses(pool_id) for domain in self.contents.domains.values()):
            raise in_use("pool is in use by a load balancer")
        return self.contents.balancing.pools.delete(pool_id)
