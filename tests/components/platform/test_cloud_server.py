"""A cloud server as it is declared."""

from ipaddress import IPv4Address

import pulumi

from components.platform.cloud_server import CloudServer, Surroundings
from components.specs.platform.cloud_server import CloudServerSpec
from tests.fakes.pulumi_monitor import run_program
from tests.fakes.slow_plan import SlowPlan

SPEC = CloudServerSpec(
    name="bastion-1", location="fsn1", private_address=IPv4Address("10.10.1.2"), has_public_ipv4=True
)


def test_nothing_is_made_while_its_place_may_still_be_refused() -> None:
    """Neither server nor address, however long the look at the network's plan takes."""
    plan = SlowPlan()

    def program() -> dict[str, pulumi.Output[None]]:
        around = Surroundings(subnet_id=pulumi.Output.from_input(plan.subnet()))
        server = CloudServer("bastion", SPEC, around=around, user_data="#cloud-config\n")
        return {
            "address": server.ipv4.apply(lambda _: plan.note("address")),
            "server": server.server_id.apply(lambda _: plan.note("server")),
        }

    run_program(program)
    assert plan.made_meanwhile == []
    assert sorted(plan.made) == ["address", "server"]
