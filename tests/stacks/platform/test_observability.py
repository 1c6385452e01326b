"""The observability stack on the real engine and plugin, against the lab."""

from typing import TYPE_CHECKING

import pytest
from pulumi import automation as auto

from components.platform.observability.first_boot import MOST_BYTES
from tests.fixtures.small_estate import SmallEstate, configured, pending, program_of

if TYPE_CHECKING:
    from lab.client import RunningLab

# The stock Automation API leaves an event loop behind at each run.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

STACK = "lab-observability"


def test_it_comes_up_stays_the_same_and_goes(small_estate: SmallEstate, lab: "RunningLab") -> None:
    """A server by its private address alone, a volume on it, a first boot that fits; then nothing is left of them."""
    before = lab.truth.cloud()
    stack, program = small_estate.stack(STACK), program_of(STACK, configured(STACK))
    outputs = stack.up(program=program).outputs

    (server,) = lab.truth.hcloud.servers.get_all()
    assert [network.ip for network in server.private_net] == ["10.10.2.11"]
    assert (server.name, server.public_net.ipv4, server.public_net.ipv6) == ("observability-1", None, None)
    assert [volume.name for volume in server.volumes] == ["observability-1-data"]
    user_data = lab.faults.hcloud.user_data(server.id)
    assert user_data.startswith("#cloud-config\n")
    assert f"scsi-0HC_Volume_{server.volumes[0].id} " in user_data
    assert len(user_data) < MOST_BYTES
    assert outputs["urls"].value["grafana"] == "http://10.10.2.11:3000/"
    assert outputs["inventory"].value["hosts"] == [
        {"name": "observability-1", "role": "observability", "address": "10.10.2.11", "exporters": {"node": 9100}}
    ]
    assert pending(stack, program, refresh=False) == []
    assert pending(stack, program, refresh=True) == []
    stack.destroy()
    assert lab.truth.cloud() == before


def test_a_changed_configuration_leaves_the_server_alone(small_estate: SmallEstate, lab: "RunningLab") -> None:
    """It is delivered to the running server: only what Inventory is told of the stack changes."""
    stack, document = small_estate.stack(STACK), configured(STACK)
    stack.up(program=program_of(STACK, document))
    changed = program_of(STACK, {**document, "retention": {"logs_days": 7}, "thresholds": {"host_down": 5}})

    assert [step for step in pending(stack, changed, refresh=False) if step[1] != "pulumi:pulumi:Stack"] == []
    (server,) = lab.truth.hcloud.servers.get_all()
    stack.up(program=changed)
    assert [same.id for same in lab.truth.hcloud.servers.get_all()] == [server.id]
    stack.destroy()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subnet": "cellar"}, "the network stack has no subnet 'cellar'; it has control, observability"),
        ({"subnet": "control"}, "10.10.2.11 is not in the subnet 'control' (10.10.0.0/24)"),
    ],
)
def test_a_place_that_does_not_fit_the_network_is_refused(
    small_estate: SmallEstate, lab: "RunningLab", change: dict[str, str], message: str
) -> None:
    """Before a server is made, with the key that is wrong."""
    stack = small_estate.stack(STACK)
    with pytest.raises(auto.CommandError) as error:
        stack.up(program=program_of(STACK, {**configured(STACK), **change}))
    assert message in str(error.value)
    assert lab.truth.hcloud.servers.get_all() == []
