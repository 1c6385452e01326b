"""Machines of the pool, written straight into the database."""

from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.inventory.models import Site
from api.machines.models import BmcDriver, Machine
from components.specs import Ipv4Spec, Ipv6Spec
from components.specs.machine import BootProfile, MachineImage, MachineNetwork, MachineState
from tests.fakes.workload_specs import SSH_KEY

_NUMBERS = count(1)
_DISKS = [
    {"name": "sda", "size_bytes": 480 * 10**9, "serial": "D1", "model": "made up", "rotational": False},
    {"name": "sdb", "size_bytes": 480 * 10**9, "serial": "D2", "model": "made up", "rotational": False},
]


def machine_mac(number: int) -> str:
    """Return a network card's address that no other number has."""
    return f"52:54:00:00:{number >> 8 & 0xFF:02x}:{number & 0xFF:02x}"


def add_machine(
    session: Session,
    state: MachineState = MachineState.AVAILABLE,
    workload_id: UUID | None = None,
    password: bytes | None = None,
    **changes: Any,
) -> Machine:
    """Add a machine that is in a state, as if it had got there; an available one was wiped a moment ago."""
    number = next(_NUMBERS)
    fields: dict[str, Any] = {
        "id": uuid7(),
        "name": f"metal-{number}",
        "site_id": session.scalars(select(Site.id).order_by(Site.slug).limit(1)).one(),
        "machine_class": "ax41",
        "state": state,
        "serial": f"SN-{number:04}",
        "boot_mac": machine_mac(number),
        "macs": [machine_mac(number)],
        "cores": 8,
        "memory_mib": 65_536,
        "disk_gib": 447,
        "disk_count": 2,
        "bmc_driver": BmcDriver.FAKE,
        "bmc_address": "http://127.0.0.1:1",
        "bmc_system": f"metal-{number}",
        "bmc_user": "slipway",
        "bmc_password_encrypted": password,
        "workload_id": workload_id,
    }
    if state in {MachineState.AVAILABLE, MachineState.RESERVED}:
        fields["wiped_at"] = session.execute(select(func.now())).scalar_one()
    machine = Machine(**(fields | changes))
    session.add(machine)
    session.flush()
    return machine


def facts(machine: Machine, **changes: Any) -> dict[str, Any]:
    """Return what a machine says of itself when all is as recorded."""
    document = {
        "serial": machine.serial,
        "product": "made up",
        "cores": machine.cores,
        "memory_mib": machine.memory_mib - 900,
        "nics": [{"name": f"eth{index}", "mac": mac} for index, mac in enumerate(machine.macs)],
        "disks": _DISKS,
        "firmware": "bios",
    }
    return document | changes


def boot_profile(**changes: Any) -> BootProfile:
    """Return what is to be installed; documentation addresses (RFC 5737, RFC 3849)."""
    fields: dict[str, Any] = {
        "image": MachineImage(name="debian-12", sha256="a" * 64, content_sha256="b" * 64, size_bytes=1 << 30),
        "hostname": "iron",
        "ssh_keys": (SSH_KEY,),
        "network": MachineNetwork(
            ipv4=Ipv4Spec.model_validate({"address": "203.0.113.9", "prefix_length": 32, "gateway": "203.0.113.1"}),
            ipv6=Ipv6Spec.model_validate(
                {"network": "2001:db8:0:9::/64", "address": "2001:db8:0:9::2", "gateway": "fe80::1"}
            ),
        ),
    }
    return BootProfile.model_validate(fields | changes)
