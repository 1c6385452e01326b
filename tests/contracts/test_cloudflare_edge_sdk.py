"""The official ``cloudflare`` SDK drives the stand-in's zones, rules, load balancing and tunnels."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare
from cloudflare.types.rulesets.ruleset_create_response import Ruleset

from tests.fakes.cloudflare_server import ACCOUNT_ID, TOKEN, cloudflare_server

pytestmark = pytest.mark.processes

BLOCK = {"ref": "admin", "action": "block", "expression": 'starts_with(http.request.uri.path, "/admin")'}
RATE = {
    "characteristics": ["ip.src", "cf.colo.id"],
    "period": 60,
    "requests_per_period": 10,
    "mitigation_timeout": 60,
}
LIMIT = {"ref": "login", "action": "block", "expression": "true", "ratelimit": RATE}


@pytest.fixture
def client() -> Iterator[Cloudflare]:
    """The SDK on an account that has nothing yet, without retries so that errors show."""
    with (
        cloudflare_server(bare=True) as running,
        Cloudflare(api_token=TOKEN, base_url=running.url, max_retries=0) as sdk,
    ):
        yield sdk


@pytest.fixture
def zone_id(client: Cloudflare) -> str:
    """A zone that was made just now."""
    made = client.zones.create(account={"id": ACCOUNT_ID}, name="slipway.example", type="full")
    assert made is not None
    return made.id


def refused(caught: pytest.ExceptionInfo[Any]) -> int | None:
    """The code of a refusal."""
    code: int | None = caught.value.errors[0].code
    return code


def test_a_bare_account_has_the_zones_that_are_made_in_it(client: Cloudflare) -> None:
    """Each with an id of its own, pending at first; a name is taken once; what goes leaves nothing."""
    assert list(client.zones.list()) == []
    made = client.zones.create(account={"id": ACCOUNT_ID}, name="a.example", type="full")
    assert made is not None
    assert (made.status, made.account.id) == ("pending", ACCOUNT_ID)
    with pytest.raises(cloudflare.BadRequestError) as caught:
        client.zones.create(account={"id": ACCOUNT_ID}, name="a.example")
    assert refused(caught) == 1061
    paused = client.zones.edit(zone_id=made.id, paused=True)
    assert paused is not None
    assert (paused.paused, paused.status) == (True, "pending")
    found = client.zones.get(zone_id=made.id)
    assert found is not None
    assert found.status == "active"
    client.dns.records.create(zone_id=made.id, type="A", name="a", content="203.0.113.1", ttl=1)
    client.zones.delete(zone_id=made.id)
    assert list(client.zones.list()) == []
    again = client.zones.create(account={"id": ACCOUNT_ID}, name="a.example")
    assert again is not None
    assert again.id != made.id
    assert list(client.dns.records.list(zone_id=again.id)) == []


def test_settings_have_values_of_their_own(client: Cloudflare, zone_id: str) -> None:
    """What a setting may not be is refused, and what is no setting."""
    before: Any = client.zones.settings.get("ssl", zone_id=zone_id)
    assert before.value == "full"
    changed: Any = client.zones.settings.edit("ssl", zone_id=zone_id, value="strict")
    assert (changed.id, changed.value) == ("ssl", "strict")
    with pytest.raises(cloudflare.BadRequestError) as caught:
        client.zones.settings.edit("min_tls_version", zone_id=zone_id, value="0.9")
    assert refused(caught) == 1007
    with pytest.raises(cloudflare.BadRequestError) as caught:
        client.zones.settings.get("no_such", zone_id=zone_id)
    assert refused(caught) == 1006


def ruleset_of(answer: Any) -> Any:
    """A ruleset in the SDK's own model: some methods declare any object as well, and so leave it as it came."""
    return Ruleset.model_validate(answer) if isinstance(answer, dict) else answer


def test_a_ruleset_fills_in_its_rules_and_keeps_their_ids(client: Cloudflare, zone_id: str) -> None:
    """A rule is known by its ref; each change makes a version; a phase has one ruleset."""
    rulesets: Any = client.rulesets
    phase = "http_request_firewall_custom"
    where = {"zone_id": zone_id, "kind": "zone", "name": "waf", "phase": phase}
    made = ruleset_of(rulesets.create(rules=[BLOCK], **where))
    (rule,) = made.rules
    assert (made.version, rule.enabled, rule.ref, rule.description) == ("1", True, "admin", "")
    with pytest.raises(cloudflare.BadRequestError) as caught:
        rulesets.create(rules=[], **where)
    assert refused(caught) == 20_217
    rulesets.rules.edit(rule.id, ruleset_id=made.id, zone_id=zone_id, enabled=False)
    seen = ruleset_of(rulesets.phases.get(phase, zone_id=zone_id))
    assert (seen.id, seen.version, seen.rules[0].enabled, seen.rules[0].id) == (made.id, "2", False, rule.id)
    skip = {"action": "skip", "expression": "true", "action_parameters": {"phases": ["http_ratelimit"]}}
    changed = ruleset_of(rulesets.update(made.id, rules=[skip, BLOCK], **where))
    assert [item.action for item in changed.rules] == ["skip", "block"]
    assert (changed.rules[1].id, changed.rules[1].enabled, changed.version) == (rule.id, True, "3")
    assert changed.rules[0].logging.enabled
    assert [item.phase for item in rulesets.list(zone_id=zone_id)] == [phase]
    rulesets.delete(made.id, zone_id=zone_id)
    with pytest.raises(cloudflare.NotFoundError):
        rulesets.get(made.id, zone_id=zone_id)


@pytest.mark.parametrize(
    ("phase", "rule", "code"),
    [
        ("http_request_firewall_custom", {**BLOCK, "expression": "(true"}, 20_127),
        ("http_request_firewall_custom", {**BLOCK, "expression": 'http.host eq "a'}, 20_127),
        ("http_request_firewall_custom", {**BLOCK, "expression": ""}, 20_127),
        ("http_request_firewall_custom", {**BLOCK, "action": "redirect"}, 20_120),
        ("http_request_firewall_custom", LIMIT, 20_120),
        ("http_ratelimit", BLOCK, 20_120),
        ("http_ratelimit", {**LIMIT, "ratelimit": {**RATE, "characteristics": ["ip.src"]}}, 20_120),
        ("http_ratelimit", {**LIMIT, "ratelimit": {**RATE, "period": 61}}, 20_120),
        ("http_nothing", BLOCK, 20_120),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    client: Cloudflare, zone_id: str, phase: str, rule: dict[str, Any], code: int
) -> None:
    """And no ruleset is left."""
    rulesets: Any = client.rulesets
    with pytest.raises(cloudflare.BadRequestError) as caught:
        rulesets.create(zone_id=zone_id, kind="zone", name="x", phase=phase, rules=[rule])
    assert refused(caught) == code
    assert list(rulesets.list(zone_id=zone_id)) == []


def test_a_load_balancer_stands_on_its_pools_and_those_on_a_monitor(client: Cloudflare, zone_id: str) -> None:
    """What is in use is not taken away."""
    balancing: Any = client.load_balancers
    monitor = balancing.monitors.create(account_id=ACCOUNT_ID, type="https", path="/readyz", expected_codes="200")
    assert (monitor.interval, monitor.method) == (60, "GET")
    origin: dict[str, Any] = {"name": "fsn", "address": "198.18.0.9", "header": {"Host": ["api.slipway.example"]}}
    pool = balancing.pools.create(account_id=ACCOUNT_ID, name="api", origins=[origin], monitor=monitor.id)
    assert (pool.origins[0].weight, pool.origins[0].enabled, pool.origins[0].header.host) == (
        1,
        True,
        origin["header"]["Host"],
    )
    with pytest.raises(cloudflare.BadRequestError):
        balancing.pools.create(account_id=ACCOUNT_ID, name="api", origins=[origin])
    name = "api.slipway.example"
    pools = {"default_pools": [pool.id], "fallback_pool": pool.id}
    made = balancing.create(zone_id=zone_id, name=name, proxied=True, **pools)
    assert (made.session_affinity, made.enabled) == ("none", True)
    with pytest.raises(cloudflare.BadRequestError):
        balancing.create(zone_id=zone_id, name="api.other.example", **pools)
    changed = balancing.edit(made.id, zone_id=zone_id, enabled=False)
    assert (changed.enabled, changed.proxied) == (False, True)
    for kind, number in ((balancing.pools, pool.id), (balancing.monitors, monitor.id)):
        with pytest.raises(cloudflare.APIStatusError) as caught:
            kind.delete(number, account_id=ACCOUNT_ID)
        assert caught.value.status_code == 412
    balancing.delete(made.id, zone_id=zone_id)
    balancing.pools.delete(pool.id, account_id=ACCOUNT_ID)
    balancing.monitors.delete(monitor.id, account_id=ACCOUNT_ID)
    assert list(balancing.list(zone_id=zone_id)) == []


def test_a_tunnel_has_a_token_and_rules_and_an_end(client: Cloudflare) -> None:
    """Its last rule takes everything; a name is free again once its tunnel is gone."""
    tunnels: Any = client.zero_trust.tunnels.cloudflared
    made = tunnels.create(account_id=ACCOUNT_ID, name="api", config_src="cloudflare")
    assert (made.status, made.remote_config, made.deleted_at) == ("inactive", True, None)
    token = json.loads(base64.b64decode(tunnels.token.get(made.id, account_id=ACCOUNT_ID)))
    assert token["t"] == made.id
    assert len(base64.b64decode(token["s"])) == 32
    with pytest.raises(cloudflare.ConflictError) as caught:
        tunnels.create(account_id=ACCOUNT_ID, name="api")
    assert refused(caught) == 1013
    to_api = {"hostname": "api.slipway.example", "service": "https://10.10.1.3:443"}
    with pytest.raises(cloudflare.BadRequestError) as wrong:
        tunnels.configurations.update(made.id, account_id=ACCOUNT_ID, config={"ingress": [to_api]})
    assert refused(wrong) == 1056
    rules = [{**to_api, "origin_request": {"origin_server_name": to_api["hostname"]}}, {"service": "http_status:404"}]
    tunnels.configurations.update(made.id, account_id=ACCOUNT_ID, config={"ingress": rules})
    kept = tunnels.configurations.get(made.id, account_id=ACCOUNT_ID)
    assert (kept.version, kept.config.ingress[0].origin_request.origin_server_name) == (1, to_api["hostname"])
    tunnels.delete(made.id, account_id=ACCOUNT_ID)
    assert tunnels.get(made.id, account_id=ACCOUNT_ID).deleted_at is not None
    assert list(tunnels.list(account_id=ACCOUNT_ID, is_deleted=False)) == []
    assert tunnels.create(account_id=ACCOUNT_ID, name="api").id != made.id


def test_another_account_is_refused(client: Cloudflare) -> None:
    """Its zones, pools and tunnels alike."""
    stranger, anything = "b" * 32, client
    with pytest.raises(cloudflare.PermissionDeniedError):
        anything.zones.create(account={"id": stranger}, name="a.example")
    with pytest.raises(cloudflare.PermissionDeniedError):
        list(anything.load_balancers.pools.list(account_id=stranger))
    with pytest.raises(cloudflare.PermissionDeniedError):
        anything.zero_trust.tunnels.cloudflared.get("x", account_id=stranger)
