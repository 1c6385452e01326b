"""The real hcloud plugin against the stand-in: one program with everything that a provider's own estate needs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcloud
import pulumi
import pulumi_hcloud as cloud
import pytest
from pulumi import automation as auto
from pulumi.automation import events

from automation.toolchain import Toolchain
from tests.fakes.certificates import self_signed, ssh_key

if TYPE_CHECKING:
    from lab.client import RunningLab

# The stock Automation API leaves an event loop behind at each run, and these tests run it often.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

ZONE = "eu-central"


@pytest.fixture
def stack(engine_toolchain: Toolchain, lab: "RunningLab", tmp_path: Path) -> auto.Stack:
    """An empty stack whose engine knows the lab's project."""
    state = tmp_path / "state"
    state.mkdir()
    backend = f"file://{state}"
    workspace = auto.LocalWorkspace(
        work_dir=str(tmp_path),
        pulumi_command=auto.PulumiCommand(root=str(engine_toolchain.pulumi.parents[1])),
        project_settings=auto.ProjectSettings("contract", "python", backend=auto.ProjectBackend(backend)),
        env_vars={
            **engine_toolchain.environment(),
            "PULUMI_BACKEND_URL": backend,
            "PULUMI_CONFIG_PASSPHRASE": "of this test only",
        },
    )
    made = auto.Stack.create("contract", workspace)
    section = lab.document.hcloud
    made.set_config("hcloud:token", auto.ConfigValue(section.tokens["slipway"], secret=True))
    made.set_config("hcloud:endpoint", auto.ConfigValue(section.base_url))
    made.set_config("hcloud:pollInterval", auto.ConfigValue("20ms"))
    return made


@pytest.fixture
def sdk(lab: "RunningLab") -> hcloud.Client:
    """The official SDK on the same project, to see what is really there."""
    return lab.truth.hcloud


def number(value: pulumi.Output[str]) -> pulumi.Output[int]:
    """An id as the number that some properties want."""
    return value.apply(int)


def network_of(name: str) -> cloud.NetworkSubnet:
    """A network with one subnet and a route."""
    network = cloud.Network(name, name=name, ip_range="10.0.0.0/16", labels={"managed-by": "slipway"})
    subnet = cloud.NetworkSubnet(
        name, network_id=number(network.id), type="cloud", network_zone=ZONE, ip_range="10.0.1.0/24"
    )
    route = {"destination": "10.100.0.0/16", "gateway": "10.0.1.5"}
    cloud.NetworkRoute(name, network_id=number(network.id), **route, opts=pulumi.ResourceOptions(depends_on=[subnet]))
    return subnet


def balancer_of(subnet: cloud.NetworkSubnet, server: cloud.ServerNetwork) -> None:
    """A load balancer with a certificate, that reaches the server over the network."""
    pem, key = self_signed("slipway.example")
    certificate = cloud.UploadedCertificate("edge", name="edge", certificate=pem, private_key=key)
    balancer = cloud.LoadBalancer("edge", name="edge", load_balancer_type="lb11", location="fsn1")
    this = number(balancer.id)
    inside = cloud.LoadBalancerNetwork("edge", load_balancer_id=this, subnet_id=subnet.id, ip="10.0.1.9")
    cloud.LoadBalancerService(
        "https",
        load_balancer_id=balancer.id,
        protocol="https",
        destination_port=8080,
        http={"certificates": [number(certificate.id)], "redirect_http": True},
        health_check={
            "protocol": "http",
            "port": 8080,
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "http": {"path": "/healthz", "status_codes": ["200"]},
        },
    )
    cloud.LoadBalancerService(
        "tcp", load_balancer_id=balancer.id, protocol="tcp", listen_port=6000, destination_port=6000
    )
    cloud.LoadBalancerTarget(
        "edge",
        type="server",
        load_balancer_id=this,
        server_id=server.server_id,
        use_private_ip=True,
        opts=pulumi.ResourceOptions(depends_on=[inside, server]),
    )
    cloud.Rdns("edge", load_balancer_id=this, ip_address=balancer.ipv4, dns_ptr="edge.slipway.example")


def addresses_of(server: cloud.Server, primary: cloud.PrimaryIp) -> None:
    """A floating address, and the names of all."""
    floating = cloud.FloatingIp("bastion", name="bastion", type="ipv4", home_location="fsn1", description="entry")
    cloud.FloatingIpAssignment("bastion", floating_ip_id=number(floating.id), server_id=number(server.id))
    for name, ids, ip in (
        ("primary", {"primary_ip_id": number(primary.id)}, primary.ip_address),
        ("floating", {"floating_ip_id": number(floating.id)}, floating.ip_address),
        ("six", {"server_id": number(server.id)}, server.ipv6_address),
    ):
        cloud.Rdns(name, ip_address=ip, dns_ptr=f"{name}.slipway.example", **ids)


def estate(**more: Any) -> Callable[[], None]:
    """The whole program; ``labels`` are the server's."""
    labels = more.get("labels", {"role": "bastion"})

    def program() -> None:
        subnet = network_of("private")
        key = cloud.SshKey("admin", name="admin", public_key=ssh_key("admin@slipway.example"))
        group = cloud.PlacementGroup("spread", name="spread", type="spread")
        primary = cloud.PrimaryIp("bastion", name="bastion", type="ipv4", location="fsn1", auto_delete=False)
        server = cloud.Server(
            "bastion",
            name="bastion",
            server_type="cx23",
            image="debian-13",
            location="fsn1",
            ssh_keys=[key.id],
            user_data="#cloud-config\npackages: [wireguard]\n",
            placement_group_id=number(group.id),
            labels=labels,
            public_nets=[{"ipv4_enabled": True, "ipv4": number(primary.id), "ipv6_enabled": True}],
        )
        inside = cloud.ServerNetwork("bastion", server_id=number(server.id), subnet_id=subnet.id, ip="10.0.1.7")
        rule = {"direction": "in", "protocol": "udp", "port": "51820", "source_ips": ["0.0.0.0/0", "::/0"]}
        firewall = cloud.Firewall("admin", name="admin", rules=[rule])
        cloud.FirewallAttachment("admin", firewall_id=number(firewall.id), server_ids=[number(server.id)])
        volume = cloud.Volume("data", name="data", size=10, location="fsn1", format="ext4")
        cloud.VolumeAttachment("data", volume_id=number(volume.id), server_id=number(server.id), automount=False)
        addresses_of(server, primary)
        balancer_of(subnet, inside)

    return program


def pending(stack: auto.Stack, program: Callable[[], None]) -> list[tuple[str, str, list[str]]]:
    """What an ``up`` would do about what is really there: operations, types and changed properties."""
    steps: list[tuple[str, str, list[str]]] = []

    def note(event: events.EngineEvent) -> None:
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step is not None and step.op.value not in {"same", "refresh"}:
            steps.append((step.op.value, step.type, step.diffs or []))

    stack.preview(program=program, refresh=True, on_event=note)
    return steps


def key_and_group(**imported: str) -> Callable[[], None]:
    """A small program; ``group`` is the id of a placement group that is there."""

    def program() -> None:
        cloud.SshKey("admin", name="admin", public_key=ssh_key("admin@slipway.example"))
        options = pulumi.ResourceOptions(import_=imported.get("group"))
        cloud.PlacementGroup("spread", name="spread", type="spread", labels={"owner": "op-1"}, opts=options)

    return program


def test_an_estate_comes_up_stays_the_same_changes_and_goes(
    stack: auto.Stack, sdk: hcloud.Client, lab: "RunningLab"
) -> None:
    """Preview right after is empty, a label changes in place, and destroy leaves nothing; actions take their time."""
    lab.faults.hcloud.set_action_delay(0.1)
    stack.up(program=estate())
    server = sdk.servers.get_by_name("bastion")
    assert server is not None
    assert (server.status, [part.ip for part in server.private_net]) == ("running", ["10.0.1.7"])
    assert server.public_net.ipv4.dns_ptr == "primary.slipway.example"
    assert [volume.name for volume in server.volumes] == ["data"]
    (balancer,) = sdk.load_balancers.get_all()
    services = sorted((service.listen_port, service.protocol) for service in balancer.services)
    assert services == [(443, "https"), (6000, "tcp")]
    assert [target.server.id for target in balancer.targets] == [server.id]
    assert [attached.server.id for attached in sdk.firewalls.get_all()[0].applied_to] == [server.id]
    assert "wireguard" in lab.faults.hcloud.user_data(server.id)
    assert pending(stack, estate()) == []
    stack.up(program=estate(labels={"role": "vpn"}))
    changed = sdk.servers.get_by_id(server.id)
    assert changed.labels == {"role": "vpn"}
    stack.refresh()
    assert pending(stack, estate(labels={"role": "vpn"})) == []
    stack.destroy()
    assert lab.truth.cloud() == {}


def test_what_was_done_by_hand_is_seen_and_put_right(stack: auto.Stack, sdk: hcloud.Client) -> None:
    """A label changed, and a removal."""
    stack.up(program=key_and_group())
    sdk.placement_groups.get_all()[0].update(labels={"owner": "nobody"})
    sdk.ssh_keys.get_all()[0].delete()
    steps = sorted((operation, kind.rsplit(":", 1)[-1]) for operation, kind, _ in pending(stack, key_and_group()))
    assert steps == [("create", "SshKey"), ("update", "PlacementGroup")]
    stack.up(program=key_and_group(), refresh=True)
    assert pending(stack, key_and_group()) == []


def test_what_an_error_after_the_work_left_behind_is_found_by_name_and_taken_over(
    stack: auto.Stack, sdk: hcloud.Client, lab: "RunningLab"
) -> None:
    """The resource is there, the engine does not know it, the next try says that the name is taken: import it."""
    lab.faults.hcloud.add("late_error", method="POST", path="/v1/placement_groups", status=500, times=1)
    with pytest.raises(auto.CommandError, match="fault caused by the lab"):
        stack.up(program=key_and_group())
    with pytest.raises(auto.CommandError, match="uniqueness_error"):
        stack.up(program=key_and_group())
    (orphan,) = sdk.placement_groups.get_all(label_selector="owner=op-1")
    assert orphan.name == "spread"
    program = key_and_group(group=str(orphan.id))
    stack.up(program=program)
    assert pending(stack, program) == []
    assert len(sdk.placement_groups.get_all()) == 1
