"""Opens machines' BMCs by the power drivers."""

from dataclasses import dataclass

from api.machines.bmc import BmcAccess
from api.vault import Vault
from automation.metal.power import MachinePower, PowerFailed


@dataclass(frozen=True, slots=True)
class BmcDrivers:
    """Implements ``PowerDrivers``; opens each sealed password in the moment that it is used."""

    vault: Vault

    def open(self, access: BmcAccess) -> MachinePower:
        """Return what a machine is switched with. Sends nothing."""
        if access.password_encrypted is None:
            raise PowerFailed(
                "no_credential", f"machine '{access.machine}': its BMC's password was not deposited", is_retryable=False
            )
        raise PowerFailed(
            "no_driver", f"there is no power driver for '{access.driver}' in this release", is_retryable=False
        )
