"""Reports of platform stacks, as the stacks of the estate 'lab' make them."""

from typing import Any

from tests.factories.estate import TEMPLATES

NETWORK, NODES, POOL = "lab-network", "lab-nodes", "lab-bare-metal-pool"


def reported_node(name: str = "cloud-1", workload_class: str = "cloud", **changes: Any) -> dict[str, Any]:
    """A node with room for 64 cores, 64 GiB and 1000 GiB of guests."""
    fields: dict[str, Any] = {
        "name": name,
        "site": "fsn",
        "workload_class": workload_class,
        "endpoint": f"https://{name}.example:8006",
        "verify_tls": False,
        "cores": 66,
        "memory_mib": 65_536 + 4096,
        "disk_gib": 1050,
        "storage": "local-lvm",
        "bridge": "vmbr0",
        "templates": TEMPLATES[workload_class],
        "storages": [{"name": "local-lvm", "kind": "lvmthin", "content": ["images", "rootdir"]}],
        "server_number": 321_003,
    }
    return fields | changes


def network_report(**changes: Any) -> dict[str, Any]:
    """What the network stack tells: the site, the address plan, and the zone of customers' names."""
    fields: dict[str, Any] = {
        "stack": NETWORK,
        "kind": "network",
        "spec": {"location": "fsn1"},
        "sites": [{"slug": "fsn", "name": "Falkenstein", "nameservers": ["192.0.2.53", "2001:db8:53::53"]}],
        "address_pools": [
            {"name": "fsn-v4-1", "site": "fsn", "family": 4, "cidr": "203.0.113.0/24", "gateway": "203.0.113.1"},
            {"name": "fsn-v6-1", "site": "fsn", "family": 6, "cidr": "2001:db8:1000::/48", "gateway": "fe80::1"},
        ],
        "networks": [
            {"name": "control", "kind": "cloud", "cidr": "10.10.0.0/24"},
            {"name": "lab-private", "kind": "vswitch", "cidr": "10.10.16.0/24", "tag": 4000, "mtu": 1400},
            {"name": "lan-1", "kind": "vxlan", "tag": 10_001, "mtu": 1350},
        ],
        "dns_zones": [{"name": "slipway.example", "provider_zone_id": "023e105f4ecef8ad", "holds_workloads": True}],
    }
    return fields | changes


def nodes_report(*nodes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the nodes stack tells of these nodes, by default of one of class cloud."""
    told = nodes or (reported_node(),)
    hosts = [
        {"name": node["name"], "role": "node", "address": f"10.10.16.{place}", "exporters": {"node": 9100}}
        for place, node in enumerate(told, 11)
    ]
    fields: dict[str, Any] = {"stack": NODES, "kind": "nodes", "spec": {}, "nodes": list(told), "hosts": hosts}
    return fields | changes


def pool_report(**changes: Any) -> dict[str, Any]:
    """What the bare-metal pool tells: a dedicated server."""
    server = {
        "name": "metal-1",
        "number": 321_004,
        "site": "fsn",
        "product": "AX41-NVMe",
        "datacenter": "FSN1-DC14",
        "address": "198.51.100.4",
        "network": "2001:db8:4::/64",
    }
    return {"stack": POOL, "kind": "bare-metal-pool", "spec": {}, "servers": [server]} | changes


def pool_machine(name: str = "box-1", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A machine of the pool as a stack reports it; ``number`` tells its serial number and cards from others'."""
    fields: dict[str, Any] = {
        "name": name,
        "site": "fsn",
        "machine_class": "metal-small",
        "serial": f"SN-{number:04}",
        "boot_mac": f"52:54:00:0a:00:{number:02x}",
        "macs": [f"52:54:00:0a:00:{number:02x}"],
        "cores": 8,
        "memory_mib": 65_536,
        "disk_gib": 477,
        "disk_count": 2,
        "boot_address": f"10.20.0.{10 + number}",
        "server_number": None,
        "rack": "FSN1-DC14 R7",
        "switch_port": "sw1/7",
        "vlan": 4000,
        "bmc": {"driver": "redfish", "address": f"https://10.21.0.{number}", "system": "1"},
    }
    return fields | changes
