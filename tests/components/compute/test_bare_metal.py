"""The component of a machine of one's own."""

import pytest

from components.compute import BareMetal
from components.policy.shapes import BOOT_PROFILE, INSTALLATION, MACHINE_CLAIM, WIPE
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fakes.workload_specs import bare_metal
from tests.fixtures.machine_stack import inputs_of

SPEC = bare_metal()
TYPES = {"claim": MACHINE_CLAIM, "wipe": WIPE, "profile": BOOT_PROFILE, "installation": INSTALLATION}


def build() -> Program:
    """What the component declares."""
    return run_program(lambda: BareMetal("workload", SPEC).outputs)


@pytest.mark.parametrize("name", TYPES)
def test_each_resource_is_given_what_its_provider_takes(name: str) -> None:
    """And its name in the stack, which is part of every state, stays."""
    (declared,) = build().all_of(TYPES[name])
    assert declared.name == f"workload-{name}"
    assert {key: declared.inputs.get(key) for key in inputs_of(SPEC)[name]} == inputs_of(SPEC)[name]


def test_a_machine_has_its_names_and_no_firewall() -> None:
    """What it lets in is for its owner to say."""
    others = [one.type for one in build().resources if one.type not in TYPES.values()]
    assert sorted(others) == [
        "cloudflare:index/dnsRecord:DnsRecord",
        "cloudflare:index/dnsRecord:DnsRecord",
        "slipway:compute:BareMetal",
        "slipway:network:DnsRecords",
    ]


def test_the_stack_tells_where_the_machine_is() -> None:
    """As plain values."""
    assert build().outputs == {
        "machine": "dl-1",
        "image": "debian-12",
        "fqdn": "iron.play.example",
        "hostname": "iron",
        "ipv4": "203.0.113.25",
        "ipv6": "2001:db8:0:19::2",
    }
