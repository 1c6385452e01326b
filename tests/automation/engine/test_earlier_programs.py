"""Stacks that an earlier version of the program made: its components had other names, its resources are still there."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cloudflare import Cloudflare
from proxmoxer.tools import Tasks

from api.state.checkpoint import write_checkpoint
from api.state.keys import StateKeys
from automation.engine.backend import prepare_state
from automation.engine.contract import EngineAction, EngineOutcome
from lab.client import RunningLab
from tests.fixtures.engine import Rig
from tests.fixtures.lab_workloads import credentials, spec_of

pytestmark = pytest.mark.engine

_RECORDED = Path(__file__).parent / "recorded" / "bot-stack.json"
"""A checkpoint of ``w-test``, recorded in November 2026 with ids of zone and records replaced by words."""
_TEMPLATE = "local:vztmpl/python-bot-3.12_amd64.tar.zst"


@pytest.fixture
def earlier(rig: Rig, lab: RunningLab) -> Rig:
    """Return an engine with a stack, a guest and two records that an earlier program made."""
    spec = spec_of("bot", lab)
    rig = replace(
        rig.using("automation.engine.programs:workload"),
        secrets=replace(rig.secrets, provider_environment=credentials(lab, spec)),
    )
    _make_guest(lab, spec)
    words = {"ZONE": lab.document.cloudflare.zone_id, **_make_records(lab, spec)}
    recorded = _RECORDED.read_text(encoding="utf-8")
    for word in sorted(words, key=len, reverse=True):
        recorded = recorded.replace(f'"{word}"', f'"{words[word]}"').replace(f"{word}/", f"{words[word]}/")
    url = rig.secrets.backend_url
    prepare_state(rig.settings.pulumi, url)
    row = json.dumps(write_checkpoint(json.loads(recorded)))
    with psycopg.connect(url) as state:
        key = StateKeys.of(url).checkpoint(rig.stack)
        state.execute("INSERT INTO pulumi_state (key, data) VALUES (%s, %s::jsonb)", [key, row])
    return rig


def _make_guest(lab: RunningLab, spec: Any) -> None:
    api = lab.truth.node(spec.placement.node)
    node = api.nodes(spec.placement.node)
    config = {"ostemplate": _TEMPLATE, "rootfs": "local-lvm:4", "tags": ";".join(spec.tags), "hostname": spec.hostname}
    task = node.lxc.post(vmid=spec.placement.vmid, **config)
    assert Tasks.blocking_status(api, task, timeout=20, polling_interval=0.05)["exitstatus"] == "OK"


def _make_records(lab: RunningLab, spec: Any) -> dict[str, str]:
    """Make both records; returns their ids by the words in the recording."""
    section = lab.document.cloudflare
    contents = {"A": str(spec.network.ipv4.address), "AAAA": str(spec.network.ipv6.address)}
    with Cloudflare(api_token=section.api_token, base_url=section.base_url, max_retries=0) as client:
        create: Callable[..., Any] = client.dns.records.create
        return {
            f"RECORD-{kind}": create(
                zone_id=section.zone_id, type=kind, name=spec.dns.fqdn, content=content, ttl=300
            ).id
            for kind, content in contents.items()
        }


def test_it_is_removed_with_all_that_it_holds(earlier: Rig, lab: RunningLab) -> None:
    """F7: a removal runs no program, so it needs none that knows these components."""
    assert len(lab.truth.guests()) == 1
    result = earlier.destroy(spec_of("bot", lab).model_dump(mode="json"))
    assert (result.outcome, result.changes["delete"] > 3) == (EngineOutcome.SUCCEEDED, True), result
    assert lab.truth.guests() == []
    assert lab.truth.records(spec_of("bot", lab).dns.fqdn) == {}


def test_it_is_looked_at_like_any_other(earlier: Rig, lab: RunningLab) -> None:
    """F7: drift is looked for in stacks of any age: guest and records are found, the rules nobody made are missed."""
    result = earlier.run(earlier.job(EngineAction.PREVIEW_REFRESH, spec_of("bot", lab).model_dump(mode="json")))
    assert result.outcome is EngineOutcome.SUCCEEDED, result
    gone = {step["type"].rpartition(":")[2] for step in result.steps if step["op"] == "delete"}
    assert gone <= {"IpsetLegacy", "RulesLegacy", "OptionsLegacy"}, result.steps
    assert len(result.steps) > len(gone)
    assert len(lab.truth.guests()) == 1
