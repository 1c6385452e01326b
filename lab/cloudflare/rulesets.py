"""Rulesets of a zone: one for each phase, and any number of custom ones."""

import re
from typing import Any

from lab.cloudflare.errors import ApiError, new_id, stamp

Rule = dict[str, Any]
KINDS = ("custom", "zone")
PHASES = frozenset(
    {
        "http_ratelimit",
        "http_request_cache_settings",
        "http_request_dynamic_redirect",
        "http_request_firewall_custom",
        "http_request_firewall_managed",
        "http_request_late_transform",
        "http_request_origin",
        "http_request_transform",
        "http_response_headers_transform",
    }
)
ACTIONS: dict[str, frozenset[str]] = {
    "http_request_firewall_custom": frozenset(
        {"block", "challenge", "js_challenge", "log", "managed_challenge", "skip", "execute"}
    ),
    "http_request_firewall_managed": frozenset({"execute", "skip"}),
    "http_ratelimit": frozenset({"block", "challenge", "js_challenge", "log", "managed_challenge"}),
}
"""The actions of the phases that the lab knows well; in others any."""

PERIODS = (10, 60, 120, 300, 600, 3600, 86_400)
TIMEOUTS = (0, 10, 60, 120, 300, 600, 3600, 86_400)
SKIPPED = frozenset({"http_ratelimit", "http_request_firewall_managed", "http_request_sbfm"})
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
COLO = "cf.colo.id"


def invalid(message: str, code: int = 20_120) -> ApiError:
    """A refusal of what was sent."""
    return ApiError(400, code, message)


class Rulesets:
    """One zone's rulesets."""

    def __init__(self) -> None:
        self._rulesets: dict[str, dict[str, Any]] = {}

    def all(self) -> list[dict[str, Any]]:
        """Every ruleset without its rules, which only the ruleset itself tells."""
        return [
            {name: value for name, value in ruleset.items() if name != "rules"} for ruleset in self._rulesets.values()
        ]

    def get(self, ruleset_id: str) -> dict[str, Any]:
        """One ruleset with its rules; :class:`ApiError` if there is none."""
        if ruleset_id not in self._rulesets:
            raise ApiError(404, 10_000, f"could not find ruleset {ruleset_id}")
        return self._rulesets[ruleset_id]

    def entrypoint(self, phase: str) -> dict[str, Any]:
        """A phase's ruleset; :class:`ApiError` if there is none."""
        for ruleset in self._rulesets.values():
            if (ruleset["kind"], ruleset["phase"]) == ("zone", phase):
                return ruleset
        raise ApiError(404, 10_003, f"could not find entrypoint ruleset in the {phase} phase")

    def create(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add a ruleset."""
        kind, phase = given.get("kind"), given.get("phase")
        if kind not in KINDS:
            raise invalid(f"'{kind}' is not a valid value for kind")
        if phase not in PHASES:
            raise invalid(f"'{phase}' is not a valid value for phase")
        taken = [item for item in self._rulesets.values() if (item["kind"], item["phase"]) == ("zone", phase)]
        if kind == "zone" and taken:
            reason = f"because exceeded maximum number of zone rulesets for phase {phase}"
            raise invalid(f"'zone' is not a valid value for kind {reason}", 20_217)
        if not given.get("name"):
            raise invalid("name must not be empty")
        ruleset = {"id": new_id(), "kind": kind, "phase": phase, "version": "0"}
        return self._write(ruleset, given)

    def replace(self, ruleset_id: str, given: dict[str, Any]) -> dict[str, Any]:
        """Write a ruleset anew (PUT); kind and phase stay."""
        ruleset = self.get(ruleset_id)
        for name in ("kind", "phase"):
            if given.get(name, ruleset[name]) != ruleset[name]:
                raise invalid(f"{name} cannot be changed")
        return self._write(ruleset, {"name": ruleset["name"], **given})

    def change_rule(self, ruleset_id: str, rule_id: str, given: Rule) -> dict[str, Any]:
        """Change one rule (PATCH), which makes a new version of the ruleset."""
        ruleset = self.get(ruleset_id)
        if rule_id not in {rule["id"] for rule in ruleset["rules"]}:
            raise ApiError(404, 10_000, f"could not find rule {rule_id}")
        rules = [{**rule, **given} if rule["id"] == rule_id else rule for rule in ruleset["rules"]]
        return self._write(ruleset, {**ruleset, "rules": rules})

    def delete(self, ruleset_id: str) -> None:
        """Remove a ruleset; :class:`ApiError` if there is none."""
        self.get(ruleset_id)
        del self._rulesets[ruleset_id]

    def _write(self, ruleset: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        old = {rule["ref"]: rule for rule in ruleset.get("rules", [])}
        rules = [_rule(ruleset["phase"], rule, old) for rule in given.get("rules") or []]
        refs = [rule["ref"] for rule in rules]
        if len(set(refs)) != len(refs):
            raise invalid("rule ref must be unique within the ruleset")
        written = {
            **ruleset,
            "name": given["name"],
            "description": given.get("description") or "",
            "rules": rules,
            "version": str(int(ruleset["version"]) + 1),
            "last_updated": stamp(),
        }
        self._rulesets[written["id"]] = written
        return written


def _rule(phase: str, given: Rule, old: dict[str, Rule]) -> Rule:
    """A rule as it is kept: with an id, which it keeps for as long as its ``ref`` stays, and all that was left out."""
    _check_rule(phase, given)
    ref = given.get("ref") or given.get("id")
    known = old.get(ref, {}) if ref else {}
    rule_id = known.get("id") or new_id()
    kept = {
        **{name: value for name, value in given.items() if value is not None and name not in {"id", "last_updated"}},
        "id": rule_id,
        "ref": ref or rule_id,
        "description": given.get("description") or "",
        "enabled": given.get("enabled", True),
    }
    if kept["action"] == "skip":
        kept.setdefault("logging", {"enabled": True})
    if "ratelimit" in kept:
        kept["ratelimit"] = {"requests_to_origin": False, **kept["ratelimit"]}
    changes = ("version", "last_updated", "id")
    same = {name: value for name, value in known.items() if name not in changes} == {
        name: value for name, value in kept.items() if name not in changes
    }
    if same:
        return known
    return {**kept, "version": str(int(known.get("version", "0")) + 1), "last_updated": stamp()}


def _check_rule(phase: str, rule: Rule) -> None:
    action, expression = rule.get("action"), rule.get("expression")
    if not action:
        raise invalid("rule action must not be empty")
    if phase in ACTIONS and action not in ACTIONS[phase]:
        raise invalid(f"'{action}' is not a valid value for action because it is not allowed in phase {phase}")
    _check_expression(expression)
    if phase == "http_ratelimit":
        _check_rate(rule.get("ratelimit"))
    elif "ratelimit" in rule:
        raise invalid(f"ratelimit is not allowed in phase {phase}")
    phases = (rule.get("action_parameters") or {}).get("phases") or []
    if action == "skip" and not set(phases) <= SKIPPED:
        raise invalid(f"'{min(set(phases) - SKIPPED)}' is not a valid value for phases because it cannot be skipped")


def _check_expression(expression: Any) -> None:
    """Refuse what no parser takes: nothing, an open text, parentheses that do not close."""
    bare = TEXT.sub("", str(expression or ""))
    depth = 0
    for sign in bare:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
    if not str(expression or "").strip() or '"' in bare or depth != 0:
        raise invalid(f"filter expression is invalid: '{expression}' is not a valid value for expression", 20_127)


def _check_rate(rate: Any) -> None:
    if not isinstance(rate, dict):
        raise invalid("ratelimit must be set for rules in phase http_ratelimit")
    if COLO not in (rate.get("characteristics") or []):
        raise invalid(f"characteristics must include '{COLO}'")
    if rate.get("period") not in PERIODS:
        raise invalid(f"'{rate.get('period')}' is not a valid value for period, one of {PERIODS}")
    if rate.get("mitigation_timeout") not in TIMEOUTS:
        raise invalid(f"'{rate.get('mitigation_timeout')}' is not a valid value for mitigation_timeout")
    if not isinstance(rate.get("requests_per_period"), int) or rate["requests_per_period"] < 1:
        raise invalid("requests_per_period must be at least 1")
