"""A machine in the midst of an inspection, as it is after its check-in: for measuring phone-homes."""

from datetime import timedelta

from uuid_utils.compat import uuid7

from api.db.session import Database
from api.inventory.models import Site
from api.machines.deployments import Deployments, Opening
from api.machines.lifecycle import lock_machine
from api.machines.models import BmcDriver, Machine
from api.machines.netboot.checkin import CheckIns
from api.machines.netboot.scripts import BootFromNetwork, BootScripts
from api.vault import Vault
from components.specs.machine import DeploymentKind, MachineState
from components.specs.machine_facts import Facts, Firmware, NicFacts

_MAC, _SERIAL = "52:54:00:00:00:01", "SN-BENCH"


def add_booted_machine(database: Database, master_key: str) -> tuple[str, str]:
    """Add a machine that has booted and checked in; return its deployment's id and its session."""
    facts = Facts(
        serial=_SERIAL,
        cores=2,
        memory_mib=2048,
        nics=(NicFacts(name="eth0", mac=_MAC),),
        disks=(),
        firmware=Firmware.BIOS,
    )
    with database.transaction() as transaction:
        session = transaction.session
        site = Site(id=uuid7(), slug="bench", name="Bench")
        session.add(site)
        session.flush()
        machine = Machine(
            id=uuid7(),
            name="metal-1",
            site_id=site.id,
            machine_class="metal.bench",
            state=MachineState.INSPECT,
            serial=_SERIAL,
            boot_mac=_MAC,
            cores=2,
            memory_mib=2048,
            disk_gib=1,
            disk_count=0,
            bmc_driver=BmcDriver.FAKE,
            bmc_address="none",
        )
        session.add(machine)
        session.flush()
        opening = Opening(kind=DeploymentKind.INSPECT, key="bench", lifetime=timedelta(hours=1))
        Deployments(session).open(lock_machine(session, machine.id), opening)
        boot = BootScripts(session).answer(_MAC)
        if not isinstance(boot, BootFromNetwork):
            raise TypeError("the machine should boot from the network")
        plan = CheckIns(session, Vault(master_key), "http://127.0.0.1").check_in(
            boot.deployment_id, boot.token, facts.model_dump_json().encode()
        )
        if not isinstance(plan, str):
            raise plan
    values = dict(line.split("=", 1) for line in plan.splitlines())
    return str(boot.deployment_id), values["session"]
