"""Objects made, read, changed and deleted."""

import contextlib
from typing import Any

import pytest

from automation.toolchain.plugins.cloudflare.balancing import LOAD_BALANCER_POOL
from automation.toolchain.plugins.cloudflare.client import CloudflareClient, CloudflareError
from automation.toolchain.plugins.cloudflare.handler import ResourceHandler
from automation.toolchain.plugins.cloudflare.model import ResourceModel
from automation.toolchain.plugins.cloudflare.resources import DNS_RECORD, ZONE
from automation.toolchain.plugins.cloudflare.rulesets import RULESET
from automation.toolchain.plugins.cloudflare.tunnels import TUNNEL
from lab.faults.client import StandInControl
from tests.fakes.cloudflare_server import ACCOUNT_ID, CONTROL_TOKEN, ZONE_ID, Cloudflare
from tests.fakes.scripted_http import Answer, ScriptedServer

pytestmark = pytest.mark.processes

PHASE = "http_request_firewall_custom"
RECORD: dict[str, Any] = {"zoneId": ZONE_ID, "name": "www", "type": "A", "content": "203.0.113.1", "ttl": 300.0}


@pytest.fixture
def records(cloudflare: Cloudflare) -> ResourceHandler:
    """DNS records of an empty zone."""
    return ResourceHandler(DNS_RECORD, cloudflare.client)


def test_a_record_lives_from_creation_to_deletion(records: ResourceHandler) -> None:
    """Every verb, and what each tells."""
    record_id, made = records.create(RECORD)
    assert (made["name"], made["content"], made["proxied"]) == ("www", "203.0.113.1", False)
    found = records.read(record_id, made, RECORD)
    assert found is not None
    assert (found.id, found.outputs, found.inputs) == (record_id, made, RECORD)
    changed = records.update(record_id, RECORD, {**RECORD, "content": "203.0.113.2", "comment": "moved"})
    assert (changed["content"], changed["comment"]) == ("203.0.113.2", "moved")
    records.delete(record_id, changed)
    assert records.read(record_id, changed, RECORD) is None


def test_an_input_that_is_taken_back_is_reset(records: ResourceHandler) -> None:
    """A change writes all of the record."""
    record_id, _ = records.create({**RECORD, "comment": "for now"})
    assert "comment" not in records.update(record_id, {**RECORD, "comment": "for now"}, RECORD)


def test_deleting_what_is_gone_is_no_error(records: ResourceHandler) -> None:
    """It is what was wanted."""
    record_id, made = records.create(RECORD)
    records.delete(record_id, made)
    records.delete(record_id, made)


@pytest.mark.parametrize(
    "there",
    [RECORD, {**RECORD, "type": "CNAME", "content": "elsewhere.example"}],
    ids=["the same record", "a record that excludes it"],
)
def test_a_record_in_the_way_is_named_with_the_ways_out(records: ResourceHandler, there: dict[str, Any]) -> None:
    """It is not taken over unasked."""
    record_id, _ = records.create(there)
    with pytest.raises(CloudflareError) as caught:
        records.create(RECORD)
    message = str(caught.value)
    assert message.startswith("It exists already")
    assert f"www.slipway.example, import id {ZONE_ID}/{record_id}" in message


def test_a_record_is_imported_by_zone_and_id(records: ResourceHandler) -> None:
    """In the official plugin's form; the id is then the record's own."""
    record_id, _ = records.create(RECORD)
    found = records.read(f"{ZONE_ID}/{record_id}", {}, {})
    assert found is not None
    assert found.id == record_id
    assert found.inputs["name"] == "www.slipway.example"
    assert DNS_RECORD.changes(found.inputs, RECORD, records.zone_name)[1] == []


@pytest.mark.parametrize("given", ["abc", "/abc", "zone/", "zone/a/b", ""])
def test_an_import_id_of_another_form_is_refused(records: ResourceHandler, given: str) -> None:
    """With the right form."""
    with pytest.raises(CloudflareError, match=r"is no import id of .*: give <zoneId>/<id>"):
        records.read(given, {}, {})


def test_a_wrong_token_is_told_and_never_shown(cloudflare: Cloudflare) -> None:
    """Nor is an object that cannot be read taken for gone."""
    stranger = ResourceHandler(DNS_RECORD, CloudflareClient("a wrong token", cloudflare.url))
    with pytest.raises(CloudflareError, match="Invalid access token") as caught:
        stranger.read("some-id", RECORD, RECORD)
    assert "a wrong token" not in str(caught.value)


def test_an_unreadable_zone_does_not_hinder(records: ResourceHandler) -> None:
    """A token may be for records only; then a full name is known by its beginning."""
    assert records.zone_name("another zone") is None
    outputs = DNS_RECORD.outputs({"name": "www.a.example"}, {"name": "www"}, lambda _: None)
    assert outputs["name"] == "www"


RULES = [{"ref": "a", "action": "block", "expression": "true"}]
LOST: dict[str, tuple[ResourceModel, dict[str, Any]]] = {
    "record": (DNS_RECORD, RECORD),
    "zone": (ZONE, {"name": "a.example", "account": {"id": ACCOUNT_ID}}),
    "ruleset": (RULESET, {"zoneId": ZONE_ID, "kind": "zone", "name": "a", "phase": PHASE, "rules": RULES}),
    "pool": (
        LOAD_BALANCER_POOL,
        {"accountId": ACCOUNT_ID, "name": "a", "origins": [{"name": "o", "address": "192.0.2.1"}]},
    ),
    "tunnel": (TUNNEL, {"accountId": ACCOUNT_ID, "name": "a", "configSrc": "cloudflare"}),
}


@pytest.mark.parametrize("kind", ["lose_answer", "late_error"])
@pytest.mark.parametrize(("model", "inputs"), LOST.values(), ids=LOST)
def test_what_was_made_is_found_though_the_answer_was_lost(
    cloudflare: Cloudflare, model: ResourceModel, inputs: dict[str, Any], kind: str
) -> None:
    """In the same run; a second creation is refused then, as ever."""
    handler = ResourceHandler(model, cloudflare.client)
    with contextlib.closing(StandInControl(cloudflare.control_url, CONTROL_TOKEN)) as control:
        control.add(kind, method="POST", times=1)
        made_id, outputs = handler.create(inputs)
    found = handler.read(made_id, outputs, inputs)
    assert found is not None
    assert found.inputs == inputs
    with pytest.raises(CloudflareError):
        handler.create(inputs)


def test_a_server_error_before_anything_was_made_stays_an_error(cloudflare: Cloudflare) -> None:
    """And what is there under the name, but not as declared, is not taken for it."""
    handler = ResourceHandler(DNS_RECORD, cloudflare.client)
    handler.create({**RECORD, "content": "203.0.113.9"})
    with contextlib.closing(StandInControl(cloudflare.control_url, CONTROL_TOKEN)) as control:
        control.add("error", method="POST", status=500, times=1)
        with pytest.raises(CloudflareError, match="status 500"):
            handler.create(RECORD)


def envelope(result: Any) -> dict[str, Any]:
    """Cloudflare's answer."""
    return {"success": True, "result": result, "errors": []}


ZONE_INPUTS: dict[str, Any] = {"name": "a.example", "account": {"id": "1"}}


@pytest.fixture
def zones(scripted_http: ScriptedServer) -> ResourceHandler:
    """Zones, each request answered with a live zone in which the last change shows."""
    live = {"id": "z1", **ZONE_INPUTS, "account": {"id": "1", "name": "Acme"}, "paused": False, "status": "active"}
    scripted_http.answers.extend([Answer(200, envelope(live)), Answer(200, envelope({**live, "paused": True}))])
    return ResourceHandler(ZONE, CloudflareClient("t", scripted_http.url))


def sent(server: ScriptedServer) -> list[tuple[str, str, Any]]:
    """Method, path and body of every request."""
    return [(request.method, request.path, request.body) for request in server.requests]


def test_a_zone_is_made_and_only_what_changed_is_sent(zones: ResourceHandler, scripted_http: ScriptedServer) -> None:
    """Cloudflare takes one property at a time."""
    zone_id, made = zones.create(ZONE_INPUTS)
    assert (zone_id, made["status"], made["account"]) == ("z1", "active", {"id": "1"})
    assert zones.update(zone_id, ZONE_INPUTS, {**ZONE_INPUTS, "paused": True})["paused"] is True
    assert sent(scripted_http) == [("POST", "/zones", ZONE_INPUTS), ("PATCH", "/zones/z1", {"paused": True})]


def test_what_a_new_zone_cannot_be_given_is_set_afterwards(
    zones: ResourceHandler, scripted_http: ScriptedServer
) -> None:
    """In a request of its own."""
    _, made = zones.create({**ZONE_INPUTS, "paused": True})
    assert made["paused"] is True
    assert sent(scripted_http) == [("POST", "/zones", ZONE_INPUTS), ("PATCH", "/zones/z1", {"paused": True})]


def test_a_zone_that_was_made_but_not_finished_is_named(zones: ResourceHandler, scripted_http: ScriptedServer) -> None:
    """Else it would be lost from sight."""
    scripted_http.answers[1] = Answer(403, {"success": False, "errors": [{"code": 1, "message": "no"}]})
    with pytest.raises(CloudflareError, match=r"no \(code 1\) It was made, with the import id z1"):
        zones.create({**ZONE_INPUTS, "paused": True})


def test_a_zone_is_imported_by_its_id(scripted_http: ScriptedServer) -> None:
    """It has no parent."""
    zones = ResourceHandler(ZONE, CloudflareClient("t", scripted_http.url))
    live = {"id": "z1", "name": "a.example", "account": {"id": "1", "name": "Acme"}, "paused": False, "type": "full"}
    scripted_http.answers.append(Answer(200, envelope(live)))
    found = zones.read("z1", {}, {})
    assert found is not None
    assert ZONE.changes(found.inputs, {"name": "a.example", "account": {"id": "1"}}, zones.zone_name)[1] == []
