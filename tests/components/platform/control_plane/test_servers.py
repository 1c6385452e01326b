"""The control plane's servers as they are declared."""

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_server import Surroundings
from components.platform.control_plane.servers import ControlPlane
from components.specs.platform.control_plane import ControlPlaneSpec
from tests.fakes.pulumi_monitor import run_program
from tests.fakes.slow_plan import SlowPlan


def test_no_group_is_made_while_the_servers_place_may_still_be_refused(spec: ControlPlaneSpec) -> None:
    """A stack whose network is not there, or has another plan, leaves nothing at Hetzner."""
    plan = SlowPlan()
    groups: list[hcloud.PlacementGroup] = []

    def keep(args: pulumi.ResourceTransformationArgs) -> None:
        if isinstance(args.resource, hcloud.PlacementGroup):
            groups.append(args.resource)

    def program() -> dict[str, pulumi.Output[None]]:
        around = Surroundings(subnet_id=pulumi.Output.from_input(plan.subnet()))
        ControlPlane("control", spec, around=around, opts=pulumi.ResourceOptions(transformations=[keep]))
        return {f"{number}": group.id.apply(lambda _: plan.note("group")) for number, group in enumerate(groups)}

    run_program(program)
    assert plan.made_meanwhile == []
    assert plan.made == ["group"] * 4
