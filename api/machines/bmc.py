"""How a machine's BMC is reached."""

from dataclasses import dataclass, field
from typing import Self

from api.machines.models import BmcDriver, Machine


@dataclass(frozen=True, slots=True)
class BmcAccess:
    """What a worker needs to open a machine's BMC; the passwords are still sealed.

    Attributes:
        next_password_encrypted: of a rotation that has not come to its end; None at all other times.
        boot_mac: of the card that reaches the boot service; ``boot_address`` and ``vlan`` there, as far as recorded.
    """

    machine: str
    driver: BmcDriver
    address: str
    system: str
    user: str
    verify_tls: bool
    password_encrypted: bytes | None = field(repr=False)
    next_password_encrypted: bytes | None = field(default=None, repr=False)
    boot_mac: str = ""
    boot_address: str | None = None
    vlan: int | None = None

    @classmethod
    def of(cls, machine: Machine) -> Self:
        """Read it off a machine's row."""
        return cls(
            machine=machine.name,
            driver=machine.bmc_driver,
            address=machine.bmc_address,
            system=machine.bmc_system,
            user=machine.bmc_user,
            verify_tls=machine.bmc_verify_tls,
            password_encrypted=machine.bmc_password_encrypted,
            next_password_encrypted=machine.bmc_next_password_encrypted,
            boot_mac=machine.boot_mac,
            boot_address=machine.boot_address,
            vlan=machine.vlan,
        )
