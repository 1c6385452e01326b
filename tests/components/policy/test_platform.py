"""Rules about the provider's own stacks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from components.plans import PlanDocument, PlanStep, StepOp
from components.policy.context import PolicyContext
from components.policy.evaluate import evaluate, refusal
from components.policy.platform import PLATFORM_RULES

SERVER, FIREWALL = "hcloud:index/server:Server", "hcloud:index/firewall:Firewall"


def judge(kind: str, op: StepOp = StepOp.CREATE, **inputs: Any) -> str | None:
    """Why a plan of one resource may not be applied."""
    step = PlanStep(urn=f"urn:pulumi:lab-edge::slipway::{kind}::it", type=kind, op=op, name="it", inputs=inputs)
    return refusal(evaluate(PlanDocument(steps=(step,)), PolicyContext(now=datetime.now(UTC)), rules=PLATFORM_RULES))


def inbound(port: str, *sources: str, protocol: str = "tcp") -> dict[str, Any]:
    """A rule of a cloud firewall."""
    return {"direction": "in", "protocol": protocol, "port": port, "sourceIps": list(sources)}


@pytest.mark.parametrize(
    "kind",
    [
        SERVER,
        "proxmoxve:index/poolLegacy:PoolLegacy",
        "cloudflare:index/zone:Zone",
        "pulumi-python:dynamic/slipway:VSwitch",
        "pulumi:pulumi:StackReference",
        "slipway:platform:Node",
    ],
)
def test_what_our_providers_make_passes(kind: str) -> None:
    """Components and references to other stacks, too."""
    assert judge(kind) is None


@pytest.mark.parametrize("kind", ["command:local:Command", "aws:s3/bucket:Bucket", "pulumi-python:dynamic:Resource"])
def test_anything_else_is_refused(kind: str) -> None:
    """A resource that runs commands could do whatever it likes."""
    assert f"'{kind}', which no platform stack of ours is made of" in str(judge(kind))


def test_what_should_never_have_been_made_may_go() -> None:
    """Else nobody could get rid of it."""
    assert judge("command:local:Command", StepOp.DELETE) is None


@pytest.mark.parametrize(
    "inputs",
    [
        {"password": "x"},
        {"apiToken": "x"},
        {"private_key": "x"},
        {"nested": [{"tunnelSecret": "[secret]"}]},
        {"userData": "#cloud-config\npassword: hunter2\n"},
        {"userData": "-----BEGIN OPENSSH PRIVATE KEY-----"},
    ],
)
def test_a_credential_is_refused_by_its_place(inputs: dict[str, Any]) -> None:
    """Masked or not: it would be in the state, or with whoever reads the metadata."""
    assert str(judge(SERVER, **inputs)).startswith("no-credentials: ")


def test_a_file_that_holds_a_secret_may_be_named() -> None:
    """And so may a fingerprint, and what a secret is not."""
    assert judge(SERVER, passwordFile="/etc/slipway/smtp", fingerprint="aa:bb", userData="lock_passwd: true") is None


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        (inbound("22", "0.0.0.0/0"), "22"),
        (inbound("8000-8010", "::/0"), "8006, 8007"),
        (inbound("any", "192.0.2.0/24", "0.0.0.0/0"), "22, 3000, 3100, 5432, 6379, 8006, 8007, 9090, 9093"),
    ],
)
def test_a_management_port_for_everybody_is_refused(rule: dict[str, Any], opened: str) -> None:
    """The ports are named."""
    assert f"lets the whole Internet at port {opened}:" in str(judge(FIREWALL, rules=[rule]))


@pytest.mark.parametrize(
    "rule",
    [
        inbound("22", "192.0.2.1/32"),
        inbound("443", "0.0.0.0/0"),
        inbound("51820", "0.0.0.0/0", protocol="udp"),
        {"direction": "out", "protocol": "tcp", "port": "22", "destinationIps": ["0.0.0.0/0"]},
    ],
)
def test_other_rules_pass(rule: dict[str, Any]) -> None:
    """Named sources, the public's own ports, the VPN, and what goes out."""
    assert judge(FIREWALL, rules=[rule]) is None
