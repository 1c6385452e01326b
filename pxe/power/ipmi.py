"""IPMI 2.0 over a LAN, by ``pyghmi``. Every call blocks, in a process of its own that is gone afterwards."""

from pydantic import SecretStr

from pxe.power.driver import Capability, Driver
from pxe.power.errors import NotOffered, PowerDisobeyed
from pxe.power.interfaces import BmcAccount, BootOrder, BootSource, PowerState
from pxe.power.ipmi_child import IpmiBmc, IpmiSession
from pxe.power.login import Login
from pxe.power.settings import new_password
from pxe.power.starting import NetworkStart
from pxe.power.timing import Timing

_SOURCES = {"network": BootSource.NETWORK, "hd": BootSource.DISK}


def ipmi_driver(host: str, port: int, user: str, password: SecretStr, timing: Timing | None = None) -> Driver:
    """Compose the driver of a BMC that speaks IPMI. Sends nothing.

    The standard has no serial number that can be had cheaply, and a BIOS that is asked for UEFI or legacy boot cannot
    be told to keep what it has: what is asked for here is legacy boot, which firmware without it takes for its own.
    """
    timing = timing or Timing()
    bmc = IpmiBmc(host, port, Login(user, password), timing)
    power, boot = IpmiPower(bmc, timing), IpmiBoot(bmc)
    return Driver(
        name="ipmi",
        power=power,
        boot=boot,
        deployer=NetworkStart(power, boot),
        capabilities=frozenset(Capability) - {Capability.RESCUE, Capability.SERIAL},
        check=bmc.check,
        accounts=IpmiAccounts(bmc),
    )


class IpmiPower:
    """Power by Chassis Control."""

    def __init__(self, bmc: IpmiBmc, timing: Timing) -> None:
        self._bmc, self._timing = bmc, timing

    def state(self) -> PowerState:
        """Look."""
        with self._bmc.session() as session:
            return PowerState(session.ask("power"))

    def on(self) -> None:
        """Switch it on and follow."""
        with self._bmc.session() as session:
            self._order(session, "on", PowerState.ON, self._timing.follow)

    def off(self, *, graceful: bool = False) -> None:
        """Switch it off and follow."""
        with self._bmc.session() as session:
            self._off(session, graceful=graceful)

    def cycle(self) -> None:
        """Switch it off, then on, each followed."""
        with self._bmc.session() as session:
            self._off(session, graceful=False)
            self._order(session, "on", PowerState.ON, self._timing.follow)

    def reset(self) -> None:
        """Press reset, or switch it on. IPMI has no connection: what gets no answer is sent again within the call."""
        with self._bmc.session() as session:
            session.ask("set_power", state="boot")

    def _off(self, session: IpmiSession, *, graceful: bool) -> None:
        seconds = self._timing.graceful if graceful else self._timing.follow
        self._order(session, "shutdown" if graceful else "off", PowerState.OFF, seconds)

    def _order(self, session: IpmiSession, order: str, state: PowerState, seconds: float) -> None:
        if session.ask("power") == state:
            return
        session.ask("set_power", state=order)
        if not self._timing.becomes(lambda: session.ask("power") == state, seconds):
            raise PowerDisobeyed(f"the machine is not {state} {seconds:.0f} s after its BMC took the order; look at it")


class IpmiBoot:
    """Boot flags (Set System Boot Options). The standard knows an override, and nothing of the firmware's order."""

    def __init__(self, bmc: IpmiBmc) -> None:
        self._bmc = bmc

    def network_once(self) -> None:
        """Have its next boot be from the network."""
        with self._bmc.session() as session:
            session.ask("set_boot", device="network")

    def order(self) -> BootOrder:
        """Look."""
        with self._bmc.session() as session:
            return _order(session)

    def reset_entries(self) -> None:
        """No boot flags."""
        with self._bmc.session() as session:
            session.ask("set_boot", device="default")
            left = _order(session).override
            if left not in {None, BootSource.DISK}:
                raise PowerDisobeyed(f"the BMC still has the machine boot from {left}; look at its boot flags")


def _order(session: IpmiSession) -> BootOrder:
    said = session.ask("boot")
    if said["bootdev"] == "default":
        return BootOrder()
    return BootOrder(_SOURCES.get(said["bootdev"], BootSource.OTHER), not said["persistent"])


class IpmiAccounts:
    """Users by the standard's numbered slots; a removed one has no name, no password and no privilege."""

    def __init__(self, bmc: IpmiBmc) -> None:
        self._bmc = bmc

    def list(self) -> tuple[BmcAccount, ...]:
        """Look."""
        with self._bmc.session() as session:
            return self._all(session)

    def reset(self, password: SecretStr | None = None) -> SecretStr:
        """Remove every account but ours, and give ours a new password."""
        made = password or new_password()
        with self._bmc.session() as session:
            ours = self._only_ours(session)
            session.ask("set_password", uid=int(ours.key), password=made.get_secret_value())
        self._bmc.login.renew(made)
        with self._bmc.session() as session:
            session.ask("power")
        return made

    def _only_ours(self, session: IpmiSession) -> BmcAccount:
        for account in self._all(session):
            if not account.is_ours:
                session.ask("remove_user", uid=int(account.key))
        left = self._all(session)
        strange = [account.name for account in left if not account.is_ours and account.is_enabled]
        if strange:
            raise PowerDisobeyed(f"the BMC still lets in {', '.join(strange)}; remove them by hand")
        return next(account for account in left if account.is_ours)

    def _all(self, session: IpmiSession) -> tuple[BmcAccount, ...]:
        users = session.ask("users")
        found = tuple(
            BmcAccount(str(user["uid"]), user["name"], user["is_enabled"], user["name"] == self._bmc.login.user)
            for user in users
        )
        if not any(account.is_ours for account in found):
            raise NotOffered(f"the BMC does not list our own account '{self._bmc.login.user}'; nothing was changed")
        return found
