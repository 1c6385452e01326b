"""From the environment to a driver."""

import threading
from functools import cache, partial

from components.robot.connection import RobotSettings, shared_robot
from pxe.power.driver import Driver
from pxe.power.fake_driver import over_http
from pxe.power.ipmi import ipmi_driver
from pxe.power.provisioning import Provisioning
from pxe.power.redfish import redfish_driver
from pxe.power.robot_driver import robot_driver
from pxe.power.settings import BmcKind, BmcSettings, bmc_settings, host_and_port
from pxe.power.timing import Timing

_ROBOT_POLL = 10.0
"""Seconds between looks at Robot: a login has 200 requests an hour for all of its servers."""


def driver_for(settings: BmcSettings) -> Driver:
    """Return this process's one driver for these settings. Sends nothing.

    Shared by everything in the process, because a refused login has to be known to all of it.
    """
    with _CONNECTING:  # the cache alone lets two threads make two, and each would try the login
        return _connect(settings)


def driver_from_environment() -> Driver:
    """Return the driver for what the environment says.

    Raises:
        BadBmcSettings: names the variable that is missing or wrong.
    """
    return driver_for(bmc_settings())


_CONNECTING = threading.Lock()


@cache
def _connect(settings: BmcSettings) -> Driver:
    if settings.driver is BmcKind.REDFISH:
        return redfish_driver(
            settings.address, settings.user, settings.password, system=settings.system, verify=settings.verify_tls
        )
    if settings.driver is BmcKind.IPMI:
        return ipmi_driver(*host_and_port(settings.address), settings.user, settings.password)
    if settings.driver is BmcKind.ROBOT:
        login = RobotSettings(url=settings.address, user=settings.user, password=settings.password)
        place = partial(Provisioning.of, settings)
        return robot_driver(shared_robot(login), int(settings.system), Timing(poll=_ROBOT_POLL), place=place)
    return over_http(settings.address, settings.system, settings.user, settings.password, Timing())
