"""The machines that may boot over the network, read from the inventory."""

import ipaddress

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db.roles import APP_ROLE
from api.db.session import connect
from api.machines.models import Machine
from pxe.boot.dnsmasq import BootHost


def boot_hosts(session: Session) -> list[BootHost]:
    """Return all machines that have an address for booting, whatever state they are in: a script decides, not DHCP."""
    query = select(Machine.name, Machine.boot_mac, Machine.boot_address).where(Machine.boot_address.is_not(None))
    return [
        BootHost(name, mac, ipaddress.IPv4Address(address))
        for name, mac, address in session.execute(query.order_by(Machine.name))
        if address is not None
    ]


def boot_hosts_at(database_url: str) -> list[BootHost]:
    """Return them from a database; opens and closes its own connection."""
    database = connect(database_url, pool_size=1, role=APP_ROLE)
    try:
        with database.transaction() as transaction:
            return boot_hosts(transaction.session)
    finally:
        database.close()
