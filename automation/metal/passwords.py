"""Which of its two passwords a machine's BMC takes, as long as that is not known for certain.

A rotation can be cut off anywhere: the next password is recorded, then the BMC is told, then it becomes the password.
Whoever finds a next one recorded tries the password, then the next one, each once: BMCs lock accounts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from uuid import UUID

import structlog
from pydantic import SecretStr, ValidationError

from api.db.session import Database
from api.machines.bmc import BmcAccess
from api.machines.models import Machine
from api.machines.rotation import BmcRotation
from api.vault import Vault
from automation.metal.power import PowerFailed
from pxe.power.driver import Capability, Driver
from pxe.power.errors import BmcRefused, PowerError
from pxe.power.settings import BmcKind, BmcSettings, new_password

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BmcPasswords:
    """Opens and rotates them.

    Attributes:
        connect: finds the driver of a machine's BMC; sends nothing.
    """

    database: Database
    vault: Vault
    connect: Callable[[BmcSettings], Driver]

    def begin(self, machine_id: UUID, workload_id: UUID) -> tuple[BmcSettings, SecretStr | None]:
        """Return how the BMC of a machine that is to be wiped is reached, and what its password is to be afterwards.

        The latter is recorded by the time that this returns. Either may be in force, after an earlier attempt. There is
        none where the users of the BMC are not ours to manage. Sends nothing.

        Raises:
            PowerFailed: if there is no password, or what is recorded of the BMC cannot be meant.
        """
        settings = settings_of(self.recorded(machine_id), self.vault)
        if not self._has_accounts(settings):
            return settings, None
        sealed = self.vault.seal(new_password().get_secret_value())
        with self.database.transaction() as transaction:
            access = BmcRotation(transaction.session).begin(machine_id, workload_id, sealed)
        following = None if access.next_password_encrypted is None else _following(access, self.vault).password
        return settings_of(access, self.vault), following

    def in_force(self, access: BmcAccess) -> BmcSettings:
        """Return how a BMC is reached, by the password that it takes. Sends something only if a next one is recorded.

        Blocks then for a few seconds. A next one that is in force becomes the password.

        Raises:
            PowerFailed: if there is no password, what is recorded of the BMC cannot be meant, or the BMC refused the
                password and did not answer to the next one.
        """
        settings = settings_of(access, self.vault)
        if access.next_password_encrypted is None or not self._has_accounts(settings):
            return settings
        following = _following(access, self.vault)
        if self._takes(settings) is not False:
            return settings
        takes_following = self._takes(following)
        if takes_following is None:
            detail = f"machine '{access.machine}': its BMC refused one password, and did not say if it takes the next"
            raise PowerFailed("bmc", detail, is_retryable=True)
        if not takes_following:
            return settings
        self._promote(access)
        return following

    def settle(self, machine_id: UUID) -> None:
        """See which one is in force after a wipe, and keep that one. Blocks for a few seconds; may be repeated.

        A machine that somebody has by now is left alone. If the BMC does not say, both are kept: whoever logs in next
        finds out.
        """
        with self.database.transaction() as transaction:
            machine = transaction.session.get_one(Machine, machine_id)
            access, is_nobodys = BmcAccess.of(machine), machine.workload_id is None
        if access.next_password_encrypted is None or access.password_encrypted is None or not is_nobodys:
            return
        takes_following = self._takes(_following(access, self.vault))
        if takes_following:
            self._promote(access)
        elif takes_following is False and self._takes(settings_of(access, self.vault)):
            with self.database.transaction() as transaction:
                BmcRotation(transaction.session).forget(access)
        else:
            _LOG.warning("bmc_password_uncertain", machine=access.machine)

    def recorded(self, machine_id: UUID) -> BmcAccess:
        """Return what is recorded of a machine's BMC now."""
        with self.database.transaction() as transaction:
            return BmcAccess.of(transaction.session.get_one(Machine, machine_id))

    def _promote(self, access: BmcAccess) -> None:
        with self.database.transaction() as transaction:
            BmcRotation(transaction.session).promote(access)
        _LOG.info("bmc_password_rotated", machine=access.machine)

    def _has_accounts(self, settings: BmcSettings) -> bool:
        return Capability.ACCOUNTS in self.connect(settings).capabilities

    def _takes(self, settings: BmcSettings) -> bool | None:
        """Tell whether the BMC takes a login, by one try; None if it does not say."""
        try:
            self.connect(settings).validate()
        except BmcRefused:
            return False
        except PowerError:
            return None
        return True


def settings_of(access: BmcAccess, vault: Vault) -> BmcSettings:
    """Return how a machine's BMC is reached, its password opened. Sends nothing.

    Raises:
        PowerFailed: if there is no password, or what is recorded of the BMC cannot be meant.
    """
    if access.password_encrypted is None:
        detail = f"machine '{access.machine}': the password of its BMC was not deposited"
        raise PowerFailed("no_credential", detail, is_retryable=False)
    try:
        return BmcSettings(
            driver=BmcKind(access.driver.value),
            address=access.address,
            system=access.system,
            user=access.user,
            password=SecretStr(vault.open(access.password_encrypted)),
            verify_tls=access.verify_tls,
            boot_mac=access.boot_mac,
            boot_vlan=access.vlan,
            boot_address=None if access.boot_address is None else IPv4Address(access.boot_address),
        )
    except ValidationError as error:
        wrong = "; ".join(str(item["msg"]) for item in error.errors(include_input=False))
        raise PowerFailed("bad_bmc_settings", f"machine '{access.machine}': {wrong}", is_retryable=False) from None


def _following(access: BmcAccess, vault: Vault) -> BmcSettings:
    return settings_of(replace(access, password_encrypted=access.next_password_encrypted), vault)
