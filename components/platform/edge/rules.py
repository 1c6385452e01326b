"""Cloudflare's rules, made from what the edge is configured with. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.specs.platform.edge_rules import RateLimitSpec, WafSpec

Rule = Mapping[str, Any]
_SKIPPED = ["http_ratelimit", "http_request_firewall_managed"]
# Without the data centre's id Cloudflare refuses the rule: it counts in each on its own.
_COUNTED_BY = ["cf.colo.id", "ip.src"]


def under(paths: Iterable[str]) -> str:
    """An expression for paths that begin so.

    Decoded and in lower case: no spelling of a path may lead around a rule.
    """
    found = [f'starts_with(lower(url_decode(http.request.uri.path)), "{path}")' for path in paths]
    return f"({' or '.join(found)})"


def waf_rules(spec: WafSpec) -> Sequence[Rule]:
    """The rules of our own, in their order: what is blocked is blocked before anything is trusted."""
    rules: list[Rule] = []
    if spec.blocked:
        rules.append(
            {
                "ref": "slipway_blocked",
                "description": "For the VPN only",
                "action": "block",
                "expression": under(spec.blocked),
                "enabled": True,
            }
        )
    if spec.trusted:
        rules.append(
            {
                "ref": "slipway_trusted",
                "description": "Senders known by their signature",
                "action": "skip",
                "action_parameters": {"phases": _SKIPPED},
                "expression": under(spec.trusted),
                "enabled": True,
                "logging": {"enabled": True},
            }
        )
    return rules


def managed_rules(spec: WafSpec) -> Sequence[Rule]:
    """One rule for each of Cloudflare's own rulesets that is to run."""
    return [
        {
            "ref": f"slipway_managed_{number}",
            "description": "Cloudflare's own rules",
            "action": "execute",
            "action_parameters": {"id": ruleset},
            "expression": "true",
            "enabled": True,
        }
        for number, ruleset in enumerate(spec.managed_rulesets, 1)
    ]


def rate_rules(limits: Sequence[RateLimitSpec], trusted: Sequence[str]) -> Sequence[Rule]:
    """One rule a limit; what is trusted is in none, even where no other rule lets it pass before."""
    excluded = f" and not {under(trusted)}" if trusted else ""
    return [
        {
            "ref": f"slipway_rate_{limit.name.replace('-', '_')}",
            "description": f"At most {limit.requests} in {limit.period} s: {limit.name}",
            "action": "block",
            "expression": f"{under(limit.paths)}{_methods(limit.methods)}{excluded}",
            "enabled": True,
            "ratelimit": {
                "characteristics": _COUNTED_BY,
                "period": limit.period,
                "requests_per_period": limit.requests,
                "mitigation_timeout": limit.timeout,
            },
        }
        for limit in limits
    ]


def _methods(methods: Sequence[str]) -> str:
    listed = " ".join(f'"{method}"' for method in methods)
    return f" and http.request.method in {{{listed}}}" if methods else ""
