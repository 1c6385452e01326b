"""An installer at the bare lab: Robot over HTTP, the rescue system over SSH, as an engine has them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from automation.toolchain import Toolchain
from components.installation.installer import Installer, Machine, OurKey
from components.installation.patience import Patience
from components.installation.proxmox import ProxmoxNode
from components.installation.rescue import RescueDesk
from components.installation.settings import endpoint_of, rescue_key, root_password, ssh_place
from components.installation.shell import Place, RescueShell, Shell, md5_fingerprint, public_half
from components.robot.budget import RequestBudget
from components.robot.client import Robot
from components.robot.keys import Keys
from components.specs.platform.installation import InstallationSpec
from components.specs.robot_key import RobotKeySpec
from lab.client import RunningLab
from tests.fixtures.robot_estate import Estate, estate_of

GAME = InstallationSpec(number=321_001, name="game-1", domain="slipway.example", boot_seconds=60, install_seconds=60)


@dataclass
class Site:
    """One server of the bare lab, and whoever installs it."""

    lab: RunningLab
    robot: Robot
    told: list[str] = field(default_factory=list)
    spec: InstallationSpec = GAME

    @property
    def key(self) -> Path:
        """Our private key."""
        return rescue_key(self.lab.platform)

    def machine(self) -> Machine:
        """The server, as an engine with the lab's ``platform.env`` reaches it."""
        environment = self.lab.platform
        server = RescueDesk(self.robot).server(self.spec.number)
        return Machine(
            server,
            ProxmoxNode(endpoint_of(environment, self.spec.name, server.address)),
            ssh_place(environment, self.spec.name, server.address),
            root_password(environment, self.spec.name),
        )

    def installer(self, shell_at: Callable[[Place], Shell] | None = None) -> Installer:
        """An installer that has just been started."""
        ours = OurKey(md5_fingerprint(self.key), public_half(self.key))
        patience = Patience(self.spec.name, 0.05, say=self.told.append)
        return Installer(
            RescueDesk(self.robot), ours, shell_at or (lambda place: RescueShell(place, self.key)), patience
        )

    def installations(self) -> int:
        """How often a system was written onto the server's drives."""
        return int(self.lab.faults.robot.machines()[self.spec.number]["installations"])

    def resets(self) -> int:
        """How often the reset button was pressed."""
        return sum(
            request[:2] == ("POST", f"/reset/{self.spec.number}") for request in self.lab.faults.robot.requests()
        )


@pytest.fixture
def site(bare_lab: RunningLab) -> Iterator[Site]:
    """The first server of a bare lab, our key known at Robot."""
    section = bare_lab.document.robot
    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as http:
        made = Site(bare_lab, Robot(http, RequestBudget(lambda: 0.0), lambda _seconds: None))
        Keys(made.robot).ensure(RobotKeySpec(name="rescue", data=public_half(made.key)))
        yield made


@pytest.fixture
def estate(engine_toolchain: Toolchain, bare_lab: RunningLab, tmp_path: Path) -> Iterator[Estate]:
    """An empty stack whose engine has the bare lab's ``platform.env``."""
    yield from estate_of(engine_toolchain, bare_lab, tmp_path)
