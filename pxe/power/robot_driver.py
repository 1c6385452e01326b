"""The driver of a server at Hetzner's Robot."""

from collections.abc import Callable

from components.robot.client import Robot
from pxe.power.driver import Capability, Driver
from pxe.power.errors import NotOffered
from pxe.power.provisioning import Provisioning
from pxe.power.robot import RobotBoot, RobotPower, RobotRescue, check
from pxe.power.robot_start import Enter, RescueStart, enter_by_ssh
from pxe.power.timing import Timing


def _nowhere() -> Provisioning:
    raise NotOffered("nobody has told where this server finds the boot service")


def robot_driver(
    robot: Robot,
    number: int,
    timing: Timing | None = None,
    *,
    place: Callable[[], Provisioning] = _nowhere,
    enter: Enter = enter_by_ssh,
) -> Driver:
    """Compose the driver of a server at Robot. Sends nothing.

    Args:
        robot: the connection that the process shares.
        number: the server's.
        timing: how long it is waited for.
        place: tells where the server finds the boot service; raises ``PowerError`` if that is not known.
        enter: opens a shell in its rescue system.
    """
    timing = timing or Timing()
    return Driver(
        name="robot",
        power=RobotPower(robot, number, timing),
        boot=RobotBoot(robot, number),
        deployer=RescueStart(robot, number, place, timing, enter),
        capabilities=frozenset({Capability.RESCUE}),
        check=lambda: check(robot, number, timing.check),
        rescue=RobotRescue(robot, number),
    )
