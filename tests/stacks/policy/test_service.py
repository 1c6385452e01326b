"""The pack's service, over gRPC as the engine calls it."""

import json
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from components.plans import PlanStep, StepOp
from components.policy.platform import PLATFORM_RULES
from components.policy.rules import RULES
from stacks.policy.service import PackAnalyzer
from tests.factories.plans import options_step, record_step, step, vm_step, whole_plan
from tests.fakes.workload_specs import cloud_vm

CONFIGURATION = {
    "slipway:spec": cloud_vm().model_dump_json(),
    "slipway:pools": '["203.0.113.0/24", "2001:db8::/32"]',
    "slipway:node": json.dumps({"name": "pve-vm-1", "class": "cloud"}),
}
SECRET = {rpc._special_sig_key: rpc._special_secret_sig, "value": "hunter2"}


@pytest.fixture
def analyzer() -> Iterator[Any]:
    """A connection to a served pack."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(PackAnalyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield analyzer_pb2_grpc.AnalyzerStub(channel)
    server.stop(grace=None).wait()


def configure(analyzer: Any, **changes: str) -> None:
    """Tell the pack the stack's configuration."""
    config = {**CONFIGURATION, **{f"slipway:{key}": value for key, value in changes.items()}}
    analyzer.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(config=config))


def fields(of: PlanStep) -> dict[str, Any]:
    """Return what the engine says of a resource."""
    properties = struct_pb2.Struct()
    properties.update(dict(of.inputs))
    return {"type": of.type, "urn": of.urn, "name": of.name, "properties": properties}


def judge(analyzer: Any, of: PlanStep) -> list[Any]:
    """Return the complaints about one resource."""
    return list(analyzer.Analyze(analyzer_pb2.AnalyzeRequest(**fields(of))).diagnostics)


def judge_all(analyzer: Any, *steps: PlanStep) -> dict[str, Any]:
    """Return the complaints about a stack by rule."""
    resources = [analyzer_pb2.AnalyzerResource(**fields(of)) for of in steps]
    answer = analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources))
    return {diagnostic.policyName: diagnostic for diagnostic in answer.diagnostics}


def test_it_lists_every_rule_that_it_can_ask(analyzer: Any) -> None:
    """With its meaning; the one about lost data needs what the engine does not tell."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())

    names = [policy.name for policy in info.policies]
    workloads = [rule.name for rule in RULES if rule.name != "data-loss"]
    assert names == [*workloads, *(rule.name for rule in PLATFORM_RULES), "not-checked"]
    assert all(policy.description for policy in info.policies)
    assert info.version == analyzer.GetPluginInfo(empty_pb2.Empty()).version


def test_a_whole_workload_passes(analyzer: Any) -> None:
    """Numbers come as floats, and mean the same."""
    configure(analyzer)
    steps = whole_plan().steps

    assert [judge(analyzer, one) for one in steps] == [[] for _ in steps]
    (told,) = judge_all(analyzer, *steps).values()
    assert told.enforcementLevel == analyzer_pb2.ADVISORY
    assert told.message.startswith("data-loss: ")
    assert "capacity: not checked for lack of the node's room" in told.message


@pytest.mark.parametrize(
    ("of", "rule"),
    [
        (options_step(macfilter=False), "anti-spoofing"),
        (record_step(content="198.51.100.7"), "addresses"),
        (vm_step(vmId=999), "identity"),
        (vm_step(nodeName="pve-vm-2"), "placement"),
        (vm_step(tags=[]), "tags"),
        (step("pulumi-python:dynamic:Resource", {}), "known-types"),
    ],
)
def test_one_resource_is_refused_on_its_own(analyzer: Any, of: PlanStep, rule: str) -> None:
    """Before anything is done to it."""
    configure(analyzer)

    complaint = next(found for found in judge(analyzer, of) if found.policyName == rule)

    assert complaint.enforcementLevel == analyzer_pb2.MANDATORY
    assert complaint.urn == of.urn
    assert complaint.message


def test_a_guest_without_firewall_is_refused_in_the_whole(analyzer: Any) -> None:
    """No single resource can show it."""
    configure(analyzer)

    assert judge(analyzer, vm_step()) == []
    assert judge_all(analyzer, vm_step())["guarded"].enforcementLevel == analyzer_pb2.MANDATORY


@pytest.mark.parametrize("token", ["pulumi:pulumi:Stack", "pulumi:providers:proxmoxve", "slipway:compute:CloudVm"])
def test_what_is_no_resource_of_its_own_is_not_judged(analyzer: Any, token: str) -> None:
    """Components, providers and the stack hold what is judged."""
    configure(analyzer)

    assert judge(analyzer, step(token, {})) == []


@pytest.mark.parametrize("value", [SECRET, rpc.UNKNOWN], ids=["secret", "unknown"])
def test_what_cannot_be_seen_is_refused_and_not_told(analyzer: Any, value: Any) -> None:
    """A hidden address cannot be judged; and a secret is in no message."""
    configure(analyzer)

    complaints = judge(analyzer, record_step(content=value))

    assert [found.policyName for found in complaints] == ["addresses"]
    assert "hunter2" not in complaints[0].message


def test_a_wrong_configuration_is_an_error_of_the_engines(analyzer: Any) -> None:
    """It ends the operation; the message names the value."""
    with pytest.raises(grpc.RpcError, match="'slipway:node' is wrong"):
        configure(analyzer, node="{}")


def test_nothing_is_judged_before_the_configuration_is_known(analyzer: Any) -> None:
    """An engine that does not tell it gets no pass."""
    with pytest.raises(grpc.RpcError, match="has not told the stack's configuration"):
        judge(analyzer, vm_step())


def test_a_platform_stack_is_judged_by_the_rules_of_its_own(analyzer: Any) -> None:
    """The stack's name says which; its configuration is no workload's and is not read."""
    request = analyzer_pb2.AnalyzerStackConfigureRequest(stack="lab-edge", config={"slipway:spec": "{}"})
    analyzer.ConfigureStack(request)
    command = PlanStep(urn="urn:1", type="command:local:Command", op=StepOp.CREATE, name="it")
    network = PlanStep(urn="urn:2", type="hcloud:index/network:Network", op=StepOp.CREATE, name="lab")

    assert [complaint.policyName for complaint in judge(analyzer, command)] == ["platform-types"]
    assert judge(analyzer, network) == []
    assert judge_all(analyzer, network) == {}
