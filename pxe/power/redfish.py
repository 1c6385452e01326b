"""Redfish, by ``sushy``. Every call blocks; sessions are closed after each."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sushy
from pydantic import SecretStr

from pxe.power.driver import Capability, Driver
from pxe.power.errors import NotOffered, PowerDisobeyed
from pxe.power.interfaces import BootOrder, BootSource, PowerState
from pxe.power.login import Login
from pxe.power.redfish_accounts import RedfishAccounts
from pxe.power.redfish_session import RedfishBmc
from pxe.power.starting import NetworkStart
from pxe.power.timing import Timing

_STATES = {sushy.PowerState.ON: PowerState.ON, sushy.PowerState.OFF: PowerState.OFF}
_SOURCES = {
    sushy.BootSource.PXE: BootSource.NETWORK,
    sushy.BootSource.UEFI_HTTP: BootSource.NETWORK,
    sushy.BootSource.HDD: BootSource.DISK,
}


def redfish_driver(  # noqa: PLR0913 - what a BMC is reached by
    address: str,
    user: str,
    password: SecretStr,
    *,
    system: str = "",
    verify: bool | Path = True,
    timing: Timing | None = None,
) -> Driver:
    """Compose the driver of a Redfish BMC. Sends nothing.

    Args:
        address: without ``/redfish``.
        user: our account.
        password: its password.
        system: its id or path; empty if there is only one.
        verify: whether the certificate is checked, or against which authorities.
        timing: how long it is waited for.
    """
    # What matters of what sushy says is in our errors; its log quotes BMCs, and those quote passwords.
    logging.getLogger("sushy").setLevel(logging.CRITICAL)
    timing = timing or Timing()
    bmc = RedfishBmc(address, Login(user, password), system=system, verify=verify, timing=timing)
    power, boot = RedfishPower(bmc, timing), RedfishBoot(bmc)
    return Driver(
        name="redfish",
        power=power,
        boot=boot,
        deployer=NetworkStart(power, boot),
        capabilities=frozenset(Capability) - {Capability.RESCUE},
        check=bmc.check,
        accounts=RedfishAccounts(bmc),
        identity=RedfishIdentity(bmc),
    )


class _Machine:
    """A system within one session."""

    def __init__(self, bmc: RedfishBmc, system: Any) -> None:
        self.bmc, self.system = bmc, system

    def state(self) -> PowerState:
        self.bmc.ask(lambda: self.system.refresh(force=True))
        return _STATES.get(self.system.power_state, PowerState.UNKNOWN)

    def order(self, *wanted: sushy.ResetType) -> None:
        """Order the first of these that the BMC has."""
        allowed = self.bmc.ask(self.system.get_allowed_reset_system_values)
        chosen = next((kind for kind in wanted if kind in allowed), None)
        if chosen is None:
            raise NotOffered(f"this BMC offers none of {', '.join(kind.value for kind in wanted)}")
        self.bmc.ask(lambda: self.system.reset_system(chosen))


class RedfishPower:
    """Power by ``ComputerSystem.Reset``."""

    def __init__(self, bmc: RedfishBmc, timing: Timing) -> None:
        self._bmc, self._timing = bmc, timing

    def state(self) -> PowerState:
        """Look."""
        with self._machine() as machine:
            return machine.state()

    def on(self) -> None:
        """Switch it on and follow."""
        with self._machine() as machine:
            if machine.state() is not PowerState.ON:
                machine.order(sushy.ResetType.ON, sushy.ResetType.FORCE_ON)
                self._follow(machine, PowerState.ON, self._timing.follow)

    def off(self, *, graceful: bool = False) -> None:
        """Switch it off and follow."""
        with self._machine() as machine:
            if machine.state() is PowerState.OFF:
                return
            machine.order(sushy.ResetType.GRACEFUL_SHUTDOWN if graceful else sushy.ResetType.FORCE_OFF)
            self._follow(machine, PowerState.OFF, self._timing.graceful if graceful else self._timing.follow)

    def cycle(self) -> None:
        """Switch it off, then on, each followed."""
        self.off()
        self.on()

    def reset(self) -> None:
        """Press reset, or switch it on."""
        with self._machine() as machine:
            if machine.state() is PowerState.OFF:
                machine.order(sushy.ResetType.ON, sushy.ResetType.FORCE_ON)
            else:
                machine.order(sushy.ResetType.FORCE_RESTART, sushy.ResetType.POWER_CYCLE)

    @contextmanager
    def _machine(self) -> Iterator[_Machine]:
        with self._bmc.system() as system:
            yield _Machine(self._bmc, system)

    def _follow(self, machine: _Machine, state: PowerState, seconds: float) -> None:
        if not self._timing.becomes(lambda: machine.state() is state, seconds):
            raise PowerDisobeyed(f"the machine is not {state} {seconds:.0f} s after its BMC took the order; look at it")


class RedfishBoot:
    """Boot order by the ``Boot`` property of the system."""

    def __init__(self, bmc: RedfishBmc) -> None:
        self._bmc = bmc

    def network_once(self) -> None:
        """Have its next boot be from the network. BIOS or UEFI stays as it is set."""
        with self._bmc.system() as system:
            self._set(system, sushy.BootSource.PXE, sushy.BootSourceOverrideEnabled.ONCE)

    def order(self) -> BootOrder:
        """Look."""
        with self._bmc.system() as system:
            return _order(system)

    def reset_entries(self) -> None:
        """No override; where a BMC has no such setting, its disk for ever. The firmware's own order is left alone."""
        with self._bmc.system() as system:
            if self._override(system) is not None:
                self._undo(system)
            self._bmc.ask(lambda: system.refresh(force=True))
            left = self._override(system)
            if left is not None:
                raise PowerDisobeyed(f"the BMC still has the machine boot from {left}; look at its boot override")

    def _undo(self, system: Any) -> None:
        allowed = self._bmc.ask(system.get_allowed_system_boot_source_values)
        if sushy.BootSource.NONE in allowed:
            self._set(system, sushy.BootSource.NONE, sushy.BootSourceOverrideEnabled.DISABLED)
        else:
            self._set(system, sushy.BootSource.HDD, sushy.BootSourceOverrideEnabled.CONTINUOUS)

    def _override(self, system: Any) -> BootSource | None:
        """What it is made to boot; its own disk is what it boots anyway."""
        override = _order(system).override
        return None if override is BootSource.DISK else override

    def _set(self, system: Any, target: sushy.BootSource, enabled: sushy.BootSourceOverrideEnabled) -> None:
        self._bmc.ask(lambda: system.set_system_boot_options(target=target, enabled=enabled))


class RedfishIdentity:
    """What a system says of itself."""

    def __init__(self, bmc: RedfishBmc) -> None:
        self._bmc = bmc

    def serial(self) -> str:
        """Return its serial number."""
        with self._bmc.system() as system:
            return str(system.serial_number or "")


def _order(system: Any) -> BootOrder:
    boot = system.boot
    entries = tuple(map(str, (system.json.get("Boot") or {}).get("BootOrder") or ()))
    is_off = boot.enabled is sushy.BootSourceOverrideEnabled.DISABLED
    if is_off or boot.target in {None, sushy.BootSource.NONE}:
        return BootOrder(entries=entries)
    is_once = boot.enabled is sushy.BootSourceOverrideEnabled.ONCE
    return BootOrder(_SOURCES.get(boot.target, BootSource.OTHER), is_once, entries)
