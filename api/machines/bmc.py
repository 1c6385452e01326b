"""How a machine's BMC is reached."""

from dataclasses import dataclass, field
from typing import Self

from api.machines.models import BmcDriver, Machine


@dataclass(frozen=True, slots=True)
class BmcAccess:
    """What a worker needs to open a machine's BMC; the password is still sealed."""

    machine: str
    driver: BmcDriver
    address: str
    system: str
    user: str
    verify_tls: bool
    password_encrypted: bytes | None = field(repr=False)

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
        )
