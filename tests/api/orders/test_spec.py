"""From a reservation to a workload's spec, as a pure function."""

import ipaddress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from api.catalogue.seed import load_catalogue
from api.ipam.service import HeldAddresses
from api.orders.spec import MachineReservation, Reservation, build_machine_spec, build_spec, dns_label
from api.templates.definition import TemplateDefinition
from components.specs import (
    BotSpec,
    CloudVmSpec,
    GameServerSpec,
    Resources,
    WorkloadKind,
    WorkloadSpec,
    parse_guest_spec,
    parse_workload_spec,
)
from components.specs.machine import DiskLayout, MachineRef
from tests.fakes.workload_specs import SSH_KEY

WORKLOAD = UUID("01932c07-0000-7000-8000-0000deadbeef")
RESOURCES = Resources(cores=2, memory_mib=4096, disk_gib=20)
VM = TemplateDefinition.model_validate(
    {"kind": "cloud_vm", "user": "debian", "ports": [{"protocol": "tcp", "first": 22, "last": 22}]}
)
GAME = TemplateDefinition.model_validate(
    {
        "kind": "game_server",
        "game": "minecraft-java",
        "start_command": ["java", "-Xmx{memory_mib}M"],
        "environment": {"EULA": "true"},
    }
)
BOT = TemplateDefinition.model_validate({"kind": "bot", "start_command": ["python3", "main.py"]})
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)


def reservation(**changes: Any) -> Reservation:
    """Return what was held for a workload."""
    fields: dict[str, Any] = {
        "workload_id": WORKLOAD,
        "order_id": UUID("01932c07-0000-7000-8000-000000000001"),
        "hostname": "box",
        "node": "cloud-1",
        "vmid": 100_007,
        "storage": "local-zfs",
        "bridge": "vmbr0",
        "template_source": "9000",
        "addresses": HeldAddresses(
            ipaddress.IPv4Address("203.0.113.9"),
            ipaddress.IPv4Address("203.0.113.1"),
            ipaddress.IPv6Network("2001:db8:0:7::/64"),
            ipaddress.IPv6Address("fe80::1"),
        ),
        "nameservers": ["192.0.2.53", "2001:db8:53::53"],
        "zone_id": "abc",
        "zone_name": "play.example",
        "dns_label": "box-deadbeef",
    }
    return Reservation(**(fields | changes))


def build(definition: TemplateDefinition, **changes: Any) -> WorkloadSpec:
    """Build a spec."""
    return build_spec(reservation(**changes), RESOURCES, definition, (SSH_KEY,))


def test_a_cloud_vm_is_cloned_and_gets_its_user_and_keys() -> None:
    """Template VMID, user and SSH keys are what cloud-init needs."""
    spec = build(VM)
    assert isinstance(spec, CloudVmSpec)
    assert (spec.template_vmid, spec.user, spec.ssh_keys) == (9000, "debian", (SSH_KEY,))


def test_a_game_server_gets_command_environment_and_memory() -> None:
    """All of it is data of the template."""
    spec = build(GAME, template_source="local:vztmpl/minecraft.tar.zst")
    assert isinstance(spec, GameServerSpec)
    assert (spec.game, spec.start_command) == ("minecraft-java", ("java", "-Xmx3276M"))
    assert spec.environment == {"EULA": "true"}


def test_a_bot_lets_nothing_in() -> None:
    """Its template declares no port."""
    spec = build(BOT, template_source="local:vztmpl/python.tar.zst")
    assert isinstance(spec, BotSpec)
    assert spec.network.open_ports == ()


def test_addresses_are_routed_to_the_guest_alone() -> None:
    """A /32, a host within its /64, and a MAC address that follows from the VMID."""
    spec = build(VM)
    assert isinstance(spec, CloudVmSpec)
    network = spec.network
    assert (str(network.ipv4.address), network.ipv4.prefix_length) == ("203.0.113.9", 32)
    assert str(network.ipv6.address) == "2001:db8:0:7::1"
    assert network.mac == "02:53:00:01:86:A7"
    assert [rule.ports for rule in network.open_ports] == ["22"]
    assert [str(server) for server in network.nameservers] == ["192.0.2.53", "2001:db8:53::53"]


def test_the_guest_carries_its_order_in_its_tags() -> None:
    """After a crash they prove whose guest it is."""
    assert build(VM).tags == ("order-01932c07-0000-7000-8000-000000000001", "slipway")


SHIPPED = [template.definition for template in load_catalogue().templates]


@pytest.mark.parametrize(
    "definition",
    [definition for definition in SHIPPED if definition.kind is not WorkloadKind.BARE_METAL],
    ids=lambda found: str(found.kind),
)
def test_every_shipped_template_makes_a_spec_that_survives_storage(definition: TemplateDefinition) -> None:
    """What is stored as JSON reads back as the same spec."""
    source = "9000" if definition.user else "local:vztmpl/x.tar.zst"
    spec = build(definition, template_source=source)
    assert parse_guest_spec(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    "definition",
    [definition for definition in SHIPPED if definition.kind is WorkloadKind.BARE_METAL],
    ids=lambda found: str(found.user),
)
def test_every_shipped_image_makes_the_spec_of_a_machine(definition: TemplateDefinition) -> None:
    """What is to be on which machine, how its disks are used, whose keys and which addresses it has."""
    fields = {field: getattr(reservation(), field) for field in ("workload_id", "order_id", "hostname", "addresses")}
    machine = MachineRef(machine_id=WORKLOAD, name="metal-1", serial="SN-1", boot_mac="52:54:00:00:00:01")
    held = MachineReservation(
        **fields,
        nameservers=["192.0.2.53"],
        zone_id="abc",
        zone_name="play.example",
        dns_label="box-deadbeef",
        machine=machine,
        layout=DiskLayout.RAID1,
    )
    spec = build_machine_spec(held, RESOURCES, definition, (SSH_KEY,))
    assert parse_workload_spec(spec.model_dump(mode="json")) == spec
    assert (spec.machine, spec.image, spec.layout) == (machine, definition.machine_image, DiskLayout.RAID1)
    assert (spec.user, spec.ssh_keys, spec.location) == (definition.user, (SSH_KEY,), "metal-1")
    assert (str(spec.network.ipv4.address), spec.network.ipv4.prefix_length) == ("203.0.113.9", 32)
    assert str(spec.network.ipv6.address) == "2001:db8:0:7::1"
    assert (spec.installation, spec.rescue, spec.started) == (1, False, True)


@given(labels)
def test_a_dns_label_is_valid_and_tells_customers_apart(name: str) -> None:
    """At most 63 characters; the same name of two customers makes two labels."""
    one, other = dns_label(name, uuid7()), dns_label(name, uuid7())
    assert one != other
    spec = build(VM, hostname=name, dns_label=one)
    assert spec.dns.fqdn == f"{one}.play.example"


@pytest.mark.parametrize("name", ["www", "admin", "mail", "ns1"])
def test_names_with_a_meaning_are_out_of_reach(name: str) -> None:
    """Nobody can take over ``www`` in our zone."""
    assert dns_label(name, WORKLOAD) == f"{name}-deadbeef"


@pytest.mark.parametrize("hostname", ["a_b", "..", "ä", "x" * 300, "box\n", "box\nruncmd: [reboot]", "-box", "", "Box"])
def test_a_hostname_that_slipped_through_stops_here(hostname: str) -> None:
    """The spec checks again, whatever came before it."""
    with pytest.raises(ValidationError, match="hostname"):
        build(VM, hostname=hostname)
