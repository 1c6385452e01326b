"""Firewalls at the switch port, and their templates. No I/O."""

from typing import Any

from lab.robot.errors import ApiError, invalid_input
from lab.robot.form import Form, flag, required
from lab.robot.world import Item, World

MOST_RULES = 10
_RULE = ("ip_version", "name", "dst_ip", "src_ip", "dst_port", "src_port", "protocol", "tcp_flags", "action")
_PROTOCOLS = frozenset({"tcp", "udp", "gre", "icmp", "ipip", "ah", "esp", None})


class Firewalls:
    """The firewall of each server, and the account's templates."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, name: str) -> Item:
        """A server's firewall."""
        server = self._world.server(name)
        kept = self._kept(server["server_number"])
        head = {"server_ip": server["server_ip"], "server_number": server["server_number"]}
        status = "in process" if kept["busy_until"] > self._world.clock() else kept["status"]
        shown = {key: kept[key] for key in ("filter_ipv6", "whitelist_hos", "rules")}
        return {"firewall": {**head, "status": status, **shown, "port": "main"}}

    def apply(self, name: str, form: Form) -> Item:
        """Give a server other rules; without ``rules`` there are none."""
        kept = self._free(name)
        status = form.get("status", kept["status"])
        if status not in {"active", "disabled"}:
            raise invalid_input(invalid=["status"])
        if "template_id" in form:
            new = {key: self._template(form["template_id"])[key] for key in ("filter_ipv6", "whitelist_hos", "rules")}
        else:
            new = _filters(form, kept)
        kept.update(status=status, busy_until=self._world.clock() + self._world.switching, **new)
        return self.get(name)

    def clear(self, name: str) -> Item:
        """Back to a firewall that is off and has no rules."""
        kept = self._free(name)
        kept.update(_off(), busy_until=self._world.clock() + self._world.switching)
        return self.get(name)

    def templates(self) -> list[Item]:
        """Every template in short."""
        shown = ("id", "name", "filter_ipv6", "whitelist_hos", "is_default")
        return [{"firewall_template": {key: item[key] for key in shown}} for item in self._world.templates.values()]

    def template(self, number: str) -> Item:
        """One template with its rules."""
        return {"firewall_template": self._template(number)}

    def add_template(self, form: Form) -> Item:
        """Keep a template."""
        number = self._world.next_number()
        self._world.templates[number] = {"id": number, **_template(form)}
        return self.template(str(number))

    def change_template(self, number: str, form: Form) -> Item:
        """Write a template anew."""
        self._template(number).update(_template(form))
        return self.template(number)

    def remove_template(self, number: str) -> None:
        """Forget a template."""
        del self._world.templates[self._template(number)["id"]]

    def _template(self, number: str) -> Item:
        found = self._world.templates.get(int(number)) if number.isdecimal() else None
        if found is None:
            raise ApiError(404, "NOT_FOUND", "Firewall template not found")
        return found

    def _kept(self, number: int) -> Item:
        return self._world.firewalls.setdefault(number, {**_off(), "busy_until": 0.0})

    def _free(self, name: str) -> Item:
        kept = self._kept(self._world.server(name)["server_number"])
        if kept["busy_until"] > self._world.clock():
            message = "The firewall cannot be updated because an update is currently running"
            raise ApiError(409, "FIREWALL_IN_PROCESS", message)
        return kept


def _off() -> Item:
    rules: Item = {"input": [], "output": []}
    return {"status": "disabled", "filter_ipv6": False, "whitelist_hos": True, "rules": rules}


def _template(form: Form) -> Item:
    (name,) = required(form, "name")
    return {"name": name, "is_default": flag(form, "is_default", default=False), **_filters(form, _off())}


def _filters(form: Form, kept: Item) -> Item:
    given = form.get("rules") or {}
    return {
        "filter_ipv6": flag(form, "filter_ipv6", default=kept["filter_ipv6"]),
        "whitelist_hos": flag(form, "whitelist_hos", default=kept["whitelist_hos"]),
        "rules": {way: _rules(given.get(way, []), way) for way in ("input", "output")},
    }


def _rules(given: Any, way: str) -> list[Item]:
    if len(given) > MOST_RULES:
        raise ApiError(409, "FIREWALL_RULE_LIMIT_EXCEEDED", "The firewall rule limit is exceeded")
    rules = [{key: rule.get(key) or None for key in _RULE} for rule in given]
    for index, rule in enumerate(rules):
        wrong = [("action", {"accept", "discard"}), ("protocol", _PROTOCOLS), ("ip_version", {"ipv4", "ipv6", None})]
        bad = [f"rules[{way}][{index}][{key}]" for key, allowed in wrong if rule[key] not in allowed]
        if bad:
            raise invalid_input(invalid=bad)
    return rules
