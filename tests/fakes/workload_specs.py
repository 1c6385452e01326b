"""Valid workload specs for tests; every argument of a builder replaces a field of the spec."""

import ipaddress
from typing import Any
from uuid import UUID

from components.specs import (
    BareMetalSpec,
    BotSpec,
    CloudVmSpec,
    ContainerOs,
    DnsSpec,
    GameServerSpec,
    Ipv4Spec,
    Ipv6Spec,
    NetworkSpec,
    Placement,
    PortRule,
    Protocol,
    Resources,
    mac_address,
)
from components.specs.machine import MachineImage, MachineNetwork, MachineRef

ORDER_ID = UUID("01932c07-0000-7000-8000-000000000001")
WORKLOAD_ID = UUID("01932c07-0000-7000-8000-000000000002")
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtTqnKxSZ3GgdNq0aFvOXTkmK0mp4nB1ZAoYTlSYkdF ada@example"
OTHER_SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBx4Yx3eCcjhHcLkqFqzXHc0xlVqhTSpIpwzcNHuuEcK grace@example"


def network(vmid: int, *open_ports: PortRule) -> NetworkSpec:
    """Return documentation addresses (RFC 5737, RFC 3849) for the guest ``vmid``."""
    return NetworkSpec(
        bridge="vmbr0",
        mac=mac_address(vmid),
        ipv4=Ipv4Spec(
            address=ipaddress.IPv4Address("203.0.113.25"),
            prefix_length=24,
            gateway=ipaddress.IPv4Address("203.0.113.1"),
        ),
        ipv6=Ipv6Spec(
            network=ipaddress.IPv6Network("2001:db8:0:19::/64"),
            address=ipaddress.IPv6Address("2001:db8:0:19::2"),
            gateway=ipaddress.IPv6Address("fe80::1"),
        ),
        open_ports=open_ports,
        nameservers=(ipaddress.ip_address("9.9.9.9"), ipaddress.ip_address("2620:fe::fe")),
    )


def dns(label: str) -> DnsSpec:
    """Return the DNS part of a spec."""
    return DnsSpec(zone_id="023e105f4ecef8ad9ca31a8372d0c353", zone_name="play.example", label=label)


def cloud_vm(**changes: Any) -> CloudVmSpec:
    """Return a small virtual machine with SSH open."""
    ssh = PortRule(protocol=Protocol.TCP, first=22, last=22, comment="SSH")
    fields: dict[str, Any] = {
        "workload_id": WORKLOAD_ID,
        "order_id": ORDER_ID,
        "hostname": "build-box",
        "placement": Placement(node="pve-vm-1", vmid=201, storage="local-zfs"),
        "resources": Resources(cores=2, memory_mib=2048, disk_gib=20),
        "network": network(201, ssh),
        "dns": dns("build-box"),
        "ssh_keys": (SSH_KEY,),
        "template_vmid": 9000,
        "user": "ada",
    }
    return CloudVmSpec.model_validate(fields | changes)


def minecraft(**changes: Any) -> GameServerSpec:
    """Return a Minecraft Java server."""
    game = PortRule(protocol=Protocol.TCP, first=25565, last=25565, comment="Minecraft")
    fields: dict[str, Any] = {
        "workload_id": WORKLOAD_ID,
        "order_id": ORDER_ID,
        "hostname": "blocks",
        "placement": Placement(node="pve-game-1", vmid=301, storage="local-zfs"),
        "resources": Resources(cores=2, memory_mib=4096, disk_gib=16),
        "network": network(301, game),
        "dns": dns("blocks"),
        "template_volume": "local:vztmpl/minecraft-java_21.tar.zst",
        "start_command": ("/usr/bin/java", "-Xmx3072M", "-jar", "/srv/minecraft/server.jar", "nogui"),
        "environment": {"EULA": "TRUE"},
        "game": "minecraft-java",
    }
    return GameServerSpec.model_validate(fields | changes)


def source_server(**changes: Any) -> GameServerSpec:
    """Return a Source-engine server, with its port range on both protocols."""
    ports = (
        PortRule(protocol=Protocol.UDP, first=27015, last=27020, comment="Source game and SourceTV"),
        PortRule(protocol=Protocol.TCP, first=27015, last=27015, comment="Source RCON"),
    )
    fields: dict[str, Any] = {
        "hostname": "frags",
        "placement": Placement(node="pve-game-1", vmid=302, storage="local-zfs"),
        "network": network(302, *ports),
        "dns": dns("frags"),
        "template_volume": "local:vztmpl/source-srcds_1.tar.zst",
        "start_command": ("/srv/srcds/srcds_run", "-game", "tf", "+map", "cp_badlands"),
        "environment": {},
        "game": "source-tf2",
    }
    return minecraft(**(fields | changes))


def bot(**changes: Any) -> BotSpec:
    """Return a bot that boots its template's own init and lets no port in."""
    fields: dict[str, Any] = {
        "workload_id": WORKLOAD_ID,
        "order_id": ORDER_ID,
        "hostname": "herald",
        "placement": Placement(node="pve-bot-1", vmid=401, storage="local-zfs"),
        "resources": Resources(cores=1, memory_mib=512, disk_gib=4),
        "network": network(401),
        "dns": dns("herald"),
        "ssh_keys": (SSH_KEY,),
        "template_volume": "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst",
        "os_type": ContainerOs.DEBIAN,
    }
    return BotSpec.model_validate(fields | changes)


MACHINE_ID = UUID("01932c07-0000-7000-8000-000000000003")
SERIAL, BOOT_MAC = "SN-1", "52:54:00:12:34:56"


def machine_image(name: str = "debian-12", fill: str = "a") -> MachineImage:
    """Return a disk image of 1 GiB; ``fill`` makes its checksums."""
    return MachineImage(name=name, sha256=fill * 64, content_sha256=fill * 64, size_bytes=2**30)


def bare_metal(**changes: Any) -> BareMetalSpec:
    """Return a dedicated machine."""
    addresses = network(201)
    fields: dict[str, Any] = {
        "workload_id": WORKLOAD_ID,
        "order_id": ORDER_ID,
        "hostname": "iron",
        "resources": Resources(cores=8, memory_mib=32_768, disk_gib=480),
        "dns": dns("iron"),
        "ssh_keys": (SSH_KEY,),
        "machine": MachineRef(machine_id=MACHINE_ID, name="dl-1", serial=SERIAL, boot_mac=BOOT_MAC),
        "image": machine_image(),
        "network": MachineNetwork(ipv4=addresses.ipv4, ipv6=addresses.ipv6, nameservers=addresses.nameservers),
    }
    return BareMetalSpec.model_validate(fields | changes)
