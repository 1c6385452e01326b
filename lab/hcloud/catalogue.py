"""What the API offers everywhere: locations, types, images, ISOs and prices. A small choice of the real one.

Prices are made up. Everything is of the state of the public description; nothing deprecated is in it.
"""

from typing import Any

from lab.hcloud.errors import invalid

Item = dict[str, Any]


def _location(number: int, name: str, city: str, country: str, zone: str) -> Item:
    return {
        "id": number,
        "name": name,
        "description": f"{city} DC Park 1",
        "country": country,
        "city": city,
        "latitude": 50.0 + number,
        "longitude": 12.0 + number,
        "network_zone": zone,
    }


LOCATIONS = [
    _location(1, "fsn1", "Falkenstein", "DE", "eu-central"),
    _location(2, "nbg1", "Nuremberg", "DE", "eu-central"),
    _location(3, "hel1", "Helsinki", "FI", "eu-central"),
    _location(4, "ash", "Ashburn, VA", "US", "us-east"),
    _location(5, "hil", "Hillsboro, OR", "US", "us-west"),
    _location(6, "sin", "Singapore", "SG", "ap-southeast"),
]
ZONES = tuple(dict.fromkeys(place["network_zone"] for place in LOCATIONS))


def _price(net: float) -> Item:
    return {"net": f"{net:.10f}", "gross": f"{net * 1.19:.10f}"}


def _prices(monthly: float) -> list[Item]:
    return [
        {
            "location": place["name"],
            "price_hourly": _price(monthly / 720),
            "price_monthly": _price(monthly),
            "included_traffic": 20 * 1024**4,
            "price_per_tb_traffic": _price(1.0),
        }
        for place in LOCATIONS
    ]


def _server_type(number: int, name: str, size: tuple[int, float, int], monthly: float) -> Item:
    cores, memory, disk = size
    return {
        "id": number,
        "name": name,
        "description": name.upper(),
        "category": "cost_optimized",
        "cores": cores,
        "memory": memory,
        "disk": disk,
        "storage_type": "local",
        "cpu_type": "dedicated" if name.startswith("ccx") else "shared",
        "architecture": "arm" if name.startswith("cax") else "x86",
        "prices": _prices(monthly),
        "deprecated": False,
        "deprecation": None,
        "included_traffic": 0,
        "locations": [
            {"id": p["id"], "name": p["name"], "recommended": True, "available": True, "deprecation": None}
            for p in LOCATIONS
        ],
    }


SERVER_TYPES = [
    _server_type(114, "cx23", (2, 4.0, 40), 3.0),
    _server_type(115, "cx33", (4, 8.0, 80), 5.0),
    _server_type(116, "cx43", (8, 16.0, 160), 9.0),
    _server_type(45, "cax11", (2, 4.0, 40), 3.3),
    _server_type(96, "ccx13", (2, 8.0, 80), 12.0),
]


def _balancer_type(number: int, name: str, services: int, monthly: float) -> Item:
    return {
        "id": number,
        "name": name,
        "description": name.upper(),
        "max_connections": 10_000 * number,
        "max_services": services,
        "max_targets": 25 * number,
        "max_assigned_certificates": 10 * number,
        "deprecated": None,
        "deprecation": None,
        "prices": _prices(monthly),
    }


LOAD_BALANCER_TYPES = [_balancer_type(1, "lb11", 5, 5.0), _balancer_type(2, "lb21", 15, 16.0)]


def _image(number: int, name: str, architecture: str) -> Item:
    flavor, _, version = name.partition("-")
    return {
        "id": number,
        "status": "available",
        "type": "system",
        "name": name,
        "description": f"{flavor.title()} {version}",
        "image_size": None,
        "disk_size": 5,
        "created": "2025-09-01T00:00:00Z",
        "created_from": None,
        "bound_to": None,
        "os_flavor": flavor,
        "os_version": version,
        "architecture": architecture,
        "rapid_deploy": True,
        "protection": {"delete": False},
        "deprecated": None,
        "deleted": None,
        "labels": {},
    }


IMAGES = [
    _image(number, name, architecture)
    for number, (name, architecture) in enumerate(
        ((name, arch) for name in ("debian-12", "debian-13", "ubuntu-24.04") for arch in ("x86", "arm")), 200_001
    )
]
ISOS = [
    {
        "id": 300_001,
        "name": "proxmox-ve_9.0-1.iso",
        "description": "Proxmox VE 9.0",
        "type": "public",
        "architecture": "x86",
        "deprecation": None,
    }
]
OFFERED: dict[str, list[Item]] = {
    "locations": LOCATIONS,
    "server_types": SERVER_TYPES,
    "load_balancer_types": LOAD_BALANCER_TYPES,
    "images": IMAGES,
    "isos": ISOS,
}


def pricing() -> Item:
    """The price list."""
    return {
        "currency": "EUR",
        "vat_rate": "19.00",
        "image": {"price_per_gb_month": _price(0.01)},
        "floating_ips": [{"type": kind, "prices": _prices(3.0)} for kind in ("ipv4", "ipv6")],
        "primary_ips": [{"type": kind, "prices": _prices(0.5)} for kind in ("ipv4", "ipv6")],
        "server_backup": {"percentage": "20.00"},
        "server_types": [{key: kind[key] for key in ("id", "name", "prices")} for kind in SERVER_TYPES],
        "load_balancer_types": [{key: kind[key] for key in ("id", "name", "prices")} for kind in LOAD_BALANCER_TYPES],
        "volume": {"price_per_gb_month": _price(0.05)},
    }


def offered(collection: str, wanted: object, field: str, **more: Any) -> Item:
    """What is meant by an id or a name in a request's field, with these further values.

    Raises:
        ApiError: ``invalid_input`` naming the field.
    """
    for item in OFFERED[collection]:
        if str(wanted) in {str(item["id"]), item["name"]} and all(item[key] == value for key, value in more.items()):
            return item
    extra = "".join(f" with {key} {value}" for key, value in more.items())
    raise invalid(field, f"{wanted!r}{extra} does not exist")
