"""Installers over HTTP: their token, their phases, and whether they run on the right machine."""

from collections.abc import Callable

import httpx
import pytest

from api.alerts.models import AlertKind
from api.machines.models import DeploymentStatus
from api.machines.netboot.tokens import callback_of
from components.specs.machine import DeploymentKind, DeploymentPhase, ImageFormat, MachineState
from tests.fixtures.boot_service import BootService, RentedMachine, boot_profile, installer_profile
from tests.fixtures.shop import Shop


@pytest.fixture
def seed(boot_service: BootService, rented: RentedMachine) -> str:
    """Return the address of the files of a Debian installer that has just got its boot script."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, installer_profile(ImageFormat.INSTALLER_DEBIAN))
    script = boot_service.script(rented.machine)
    return f"/seed/{script.split('/seed/')[1].split('/')[0]}"


def tell(service: BootService, seed: str, phase: str, serial: str = "") -> httpx.Response:
    """Tell a phase as an installer does."""
    return service.http.post(f"{seed}/phase", data={"phase": phase, "serial": serial})


def test_an_installers_files_are_served_until_it_has_begun(
    boot_service: BootService, rented: RentedMachine, seed: str
) -> None:
    """Afterwards they are asked for by somebody else, or by an installer that has started again without us."""
    assert boot_service.http.get(f"{seed}/preseed.cfg").text.startswith("d-i ")
    assert boot_service.http.get(f"{seed}/preseed.cfg").status_code == 200
    assert boot_service.http.get(f"{seed}/ks.cfg").status_code == 404
    assert tell(boot_service, seed, "inspect", rented.machine.serial).status_code == 204

    assert boot_service.http.get(f"{seed}/preseed.cfg").status_code == 403
    assert boot_service.alerts(AlertKind.TOKEN_MISUSED) == [(str(rented.machine.id), 1)]


def test_an_installer_tells_its_phases_and_its_system_calls_back(
    boot_service: BootService, rented: RentedMachine, seed: str
) -> None:
    """With what its files said."""
    for phase in ("inspect", "write", "configure", "reboot"):
        assert tell(boot_service, seed, phase, rented.machine.serial).status_code == 204
    script = boot_service.script(rented.machine)
    deployment_id = boot_service.change(lambda s: rented.newest_deployment(s).id)

    called = boot_service.http.post(
        f"/deployments/{deployment_id}/running",
        headers={"Authorization": f"Bearer {callback_of(seed.removeprefix('/seed/'))}"},
    )

    assert "sanboot" in script
    assert called.status_code == 204
    assert boot_service.deployment(deployment_id).phase is DeploymentPhase.FIRST_BOOT


@pytest.mark.parametrize("serial", ["", "SN-OTHER", "x\n" * 500])
def test_an_installer_on_the_wrong_machine_is_stopped_before_it_writes(
    boot_service: BootService, rented: RentedMachine, seed: str, serial: str
) -> None:
    """Its first phase has to show the serial number."""
    assert tell(boot_service, seed, "inspect", serial).status_code == 409

    assert boot_service.machine(rented.machine).state is MachineState.QUARANTINE
    assert boot_service.http.get(f"{seed}/preseed.cfg").status_code == 403
    assert tell(boot_service, seed, "write", rented.machine.serial).status_code == 403


def test_an_installer_that_gives_up_ends_the_deployment(
    boot_service: BootService, rented: RentedMachine, seed: str
) -> None:
    """With its code; the machine waits for another try."""
    tell(boot_service, seed, "inspect", rented.machine.serial).raise_for_status()

    assert boot_service.http.post(f"{seed}/failure", data={"code": "disk_too_small"}).status_code == 204

    deployment = boot_service.change(rented.newest_deployment)
    assert (deployment.status, deployment.error_code) == (DeploymentStatus.FAILED, "disk_too_small")
    assert boot_service.machine(rented.machine).state is MachineState.DEPLOYING


def test_proxmox_asks_for_its_answers_by_post(boot_service: BootService, rented: RentedMachine) -> None:
    """With a description of the machine, which we do not need."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, installer_profile(ImageFormat.INSTALLER_PROXMOX))
    token = boot_service.script(rented.machine).split("/seed/")[1].split("/")[0]

    got = boot_service.http.post(f"/seed/{token}/answer.toml", json={"product": {}})

    assert got.text.startswith("[global]")


def test_a_deployers_token_is_good_for_no_seed(boot_service: BootService, rented: RentedMachine) -> None:
    """Or a customer's files could be read without the machine having shown itself."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, boot_profile())
    booted = boot_service.boot(rented.machine)

    for name in ("preseed.cfg", "user-data", "meta-data"):
        assert boot_service.http.get(f"/seed/{booted.token}/{name}").status_code == 404
    assert tell(boot_service, f"/seed/{booted.token}", "reboot", rented.machine.serial).status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 300, "..", "%2e%2e"])
def test_a_token_that_nobody_has_is_good_for_nothing(boot_service: BootService, token: str) -> None:
    """Guessing is told nothing."""
    assert boot_service.http.get(f"/seed/{token}/preseed.cfg").status_code in {403, 404}


def test_debians_installer_is_told_what_it_needs_before_it_has_its_file(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """Where the file is; a name server, or it asks for one; and that a proxy for its mirror is not one for us."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, installer_profile(ImageFormat.INSTALLER_DEBIAN))
    script = boot_service.script(rented.machine)
    base = boot_service.runtime.settings.base_url
    (line,) = [line for line in script.splitlines() if line.startswith("kernel ")]
    arguments = line.split()

    assert f"{base}/boot/installers/installer/kernel" in arguments
    assert any(word.startswith(f"url={base}/seed/") and word.endswith("/preseed.cfg") for word in arguments)
    assert {"netcfg/get_nameservers=192.0.2.10", "no_proxy=192.0.2.10", "priority=critical"} <= set(arguments)


def test_a_boot_service_with_a_name_is_no_name_server(
    start_boot_service: Callable[..., BootService], shop: Shop
) -> None:
    """Where it is called by a name, DHCP has told of one already."""
    service = start_boot_service(pxe_url="http://boot.test:8080")
    workload_id = shop.workload(shop.place()).id
    machine = service.add_machine(MachineState.DEPLOYING, workload_id=workload_id)
    service.open(machine, DeploymentKind.INSTALL, installer_profile(ImageFormat.INSTALLER_DEBIAN))
    script = service.script(machine)

    assert "no_proxy=boot.test" in script
    assert "get_nameservers" not in script
