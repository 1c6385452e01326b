"""What the edge's program decides without an engine."""

from typing import Any

import pulumi
import pytest

from components.platform.edge.zone import labelled
from components.specs.platform.edge import EdgeSpec, RecordSpec
from components.specs.platform.vpn import VpnSpec
from stacks.platform.edge import EdgeProgram, check_vpn
from stacks.platform.program import Estate
from tests.fixtures.edge_estate import VPN, lab_edge


def vpn(**more: Any) -> VpnSpec:
    """The lab's VPN, but for what is said."""
    return VpnSpec.model_validate({**VPN, "routes": ["10.10.0.0/16"], **more})


@pytest.mark.parametrize("plan", [VPN, {**VPN, "port": 51820.0}, None])
def test_a_vpn_as_planned_is_taken(plan: dict[str, Any] | None) -> None:
    """An engine's numbers have fractions; a network stack without a plan says nothing against it."""
    check_vpn(vpn(), plan)


@pytest.mark.parametrize("change", [{"port": 51821}, {"cidr": "10.10.251.0/24"}])
def test_another_vpn_than_planned_is_refused(change: dict[str, Any]) -> None:
    """The firewalls of all hosts are made from the plan."""
    with pytest.raises(pulumi.RunError, match="in the network stack: give both the same"):
        check_vpn(vpn(**change), VPN)


def test_without_an_account_the_message_names_both_places() -> None:
    """Before anything is declared."""
    document = lab_edge()
    del document["zone"]["account_id"]
    program = EdgeProgram(EdgeSpec.model_validate(document), Estate("lab"), environment={})
    with pytest.raises(pulumi.RunError, match=r"give 'zone\.account_id', or set CLOUDFLARE_ACCOUNT_ID"):
        program.declare()


def test_a_records_name_in_the_stack_tells_it_from_others() -> None:
    """By name and type, and by content where there are several."""
    records = [
        RecordSpec(name="@", type="A", content="192.0.2.1"),
        RecordSpec(name="@", type="A", content="192.0.2.2"),
        RecordSpec(name="*.dev", type="CNAME", content="dev.example"),
    ]
    assert list(labelled(records)) == ["apex-a-192.0.2.1", "apex-a-192.0.2.2", "any.dev-cname"]
