"""A node's own firewall: brought to its form from whatever is there, looked at, taken away. Every call blocks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.pve_access.node import NodeApi
from components.specs.platform.node_firewall import HostFirewall, HostGroup

_GROUPS = "/cluster/firewall/groups"
_RULE_FIELDS = ("type", "action", "macro", "proto", "icmp-type", "source", "sport", "dest", "dport", "iface", "log")
_DATACENTER = {"policy_in": "DROP", "policy_out": "ACCEPT", "ebtables": 1}
"""What no rule lets in is dropped; the switch itself is apart."""
_HOST = {"ndp": 1, "nosmurfs": 1}
Rule = Mapping[str, str]


def bring(node: NodeApi, spec: HostFirewall, gone: Iterable[str] = ()) -> None:
    """Make a node's firewall what it is to be. Groups and rules come first and the switch last: nobody is locked out.

    What an interrupted run left half made is finished.

    Args:
        node: the login.
        spec: what is wanted.
        gone: names of groups that an earlier form had.
    """
    there = {item["group"]: item.get("comment", "") for item in node.call("GET", _GROUPS)}
    for group in spec.groups:
        _bring_group(node, group, there)
    _bring_rules(node, _host_rules(spec.node), [{"type": "group", "action": name} for name in spec.used])
    switch = int(spec.is_enabled)
    node.call("PUT", f"/nodes/{spec.node}/firewall/options", {**_HOST, "enable": switch})
    node.call("PUT", "/cluster/firewall/options", {**_DATACENTER, "enable": switch})
    for name in sorted(set(gone) & set(there) - {group.name for group in spec.groups}):
        _remove_group(node, name)


def look(node: NodeApi, wanted: HostFirewall) -> HostFirewall:
    """Return what is really there of a firewall; its groups are those that ``wanted`` names."""
    there = {item["group"]: item.get("comment", "") for item in node.call("GET", _GROUPS)}
    groups = [
        HostGroup(name=group.name, comment=there[group.name], rules=tuple(_rules(node, f"{_GROUPS}/{group.name}")))
        for group in wanted.groups
        if group.name in there
    ]
    used = tuple(map(_words, _rules(node, _host_rules(wanted.node))))
    is_enabled = _is_on(
        node.call("GET", "/cluster/firewall/options"), node.call("GET", f"/nodes/{wanted.node}/firewall/options")
    )
    return wanted.model_copy(update={"groups": tuple(groups), "used": used, "is_enabled": is_enabled})


def remove(node: NodeApi, spec: HostFirewall) -> None:
    """Switch the firewall off and take everything away, as the installation has it."""
    node.call("PUT", "/cluster/firewall/options", {"delete": ",".join(["enable", *_DATACENTER])})
    node.call("PUT", f"/nodes/{spec.node}/firewall/options", {"delete": ",".join(["enable", *_HOST])})
    _bring_rules(node, _host_rules(spec.node), [])
    there = {item["group"] for item in node.call("GET", _GROUPS)}
    for name in [group.name for group in spec.groups if group.name in there]:
        _remove_group(node, name)


def _is_on(datacenter: Mapping[str, Any], host: Mapping[str, Any]) -> bool:
    """Whether packets are really dropped; a node's own switch is on unless it says otherwise."""
    return bool(datacenter.get("enable")) and bool(host.get("enable", 1)) and datacenter.get("policy_in") == "DROP"


def _host_rules(node: str) -> str:
    return f"/nodes/{node}/firewall/rules"


def _bring_group(node: NodeApi, group: HostGroup, there: Mapping[str, str]) -> None:
    if group.name not in there:
        node.call("POST", _GROUPS, {"group": group.name, "comment": group.comment})
    elif there[group.name] != group.comment:
        node.call("POST", _GROUPS, {"group": group.name, "rename": group.name, "comment": group.comment})
    _bring_rules(node, f"{_GROUPS}/{group.name}", group.rules)


def _remove_group(node: NodeApi, name: str) -> None:
    _bring_rules(node, f"{_GROUPS}/{name}", [])  # only an empty one can be removed
    node.call("DELETE", f"{_GROUPS}/{name}")


def _bring_rules(node: NodeApi, path: str, wanted: Sequence[Rule]) -> None:
    """Put the wanted rules in front of those that are there, and then take those away: there is no moment without."""
    there = _rules(node, path)
    if there == list(wanted):
        return
    for rule in reversed(wanted):  # each new one becomes the first
        node.call("POST", path, {**rule, "enable": 1})
    for position in reversed(range(len(wanted), len(wanted) + len(there))):
        node.call("DELETE", f"{path}/{position}")


def _rules(node: NodeApi, path: str) -> list[dict[str, str]]:
    return [_plain(item) for item in sorted(node.call("GET", path), key=lambda item: int(item["pos"]))]


def _plain(item: Mapping[str, Any]) -> dict[str, str]:
    """A rule as we write one, with the fields that are set; one that is switched off says so."""
    rule = {name: str(item[name]) for name in (*_RULE_FIELDS, "comment") if item.get(name)}
    return rule if item.get("enable") else {**rule, "enable": "0"}


def _words(rule: Rule) -> str:
    """A rule of the host: the group's name, or, for one made by hand, all that it says."""
    is_plain_group = set(rule) == {"type", "action"} and rule["type"] == "group"
    return rule["action"] if is_plain_group else " ".join(f"{name}={value}" for name, value in rule.items())
