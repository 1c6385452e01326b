"""Cloudflare's rules, as they are made."""

from components.platform.edge.rules import managed_rules, rate_rules, waf_rules
from components.specs.platform.edge_rules import RateLimitSpec, WafSpec

DECODED = "starts_with(lower(url_decode(http.request.uri.path)), "


def test_what_is_for_the_vpn_is_blocked_before_anything_is_trusted() -> None:
    """A rule that skips comes after the one that blocks, and skips neither that nor itself."""
    blocked, trusted = waf_rules(WafSpec())
    assert (blocked["action"], trusted["action"]) == ("block", "skip")
    assert blocked["expression"] == f'({DECODED}"/admin") or {DECODED}"/v1/admin"))'
    assert trusted["expression"] == f'({DECODED}"/v1/stripe/webhook"))'
    assert "http_request_firewall_custom" not in trusted["action_parameters"]["phases"]
    assert waf_rules(WafSpec(blocked=(), trusted=())) == []


def test_a_limit_counts_an_address_and_leaves_out_what_is_trusted() -> None:
    """Cloudflare counts in each of its data centres, and refuses a rule that does not say so."""
    limit = RateLimitSpec(name="log-in", paths=("/v1/auth/login",), methods=("POST",), requests=10, timeout=600)
    (rule,) = rate_rules([limit], ["/v1/stripe/webhook"])
    assert rule["ref"] == "slipway_rate_log_in"
    assert rule["expression"] == (
        f'({DECODED}"/v1/auth/login")) and http.request.method in {{"POST"}} and not ({DECODED}"/v1/stripe/webhook"))'
    )
    assert rule["ratelimit"] == {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 60,
        "requests_per_period": 10,
        "mitigation_timeout": 600,
    }
    assert " and not " not in rate_rules([limit], [])[0]["expression"]


def test_cloudflares_own_rulesets_run_where_they_are_named() -> None:
    """They need a paid plan, so none runs unless said so."""
    assert managed_rules(WafSpec()) == []
    (rule,) = managed_rules(WafSpec(managed_rulesets=("efb7b8c949ac4650a09736fc376e9aee",)))
    assert (rule["action"], rule["action_parameters"]) == ("execute", {"id": "efb7b8c949ac4650a09736fc376e9aee"})
