"""A rescue system asks the real boot service what to start: the document, and the script that acts on it."""

import hashlib
import io
import os
import re
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.alerts.models import AlertKind
from api.db.session import Database
from api.machines.models import Machine
from components.specs.machine import DeploymentKind, DeploymentPhase, ImageFormat, MachineState
from lab.metal.tools import program
from pxe.boot.app import create_boot_app
from pxe.boot.listening import listener, server_for
from pxe.power.robot_start import SCRIPT
from tests.fixtures.boot_service import BootService, RentedMachine, boot_runtime, installer_profile

STRANGER = "52:54:00:ff:ff:02"


def document(service: BootService, machine: Machine | str) -> dict[str, str]:
    """What a machine's rescue system is told."""
    mac = machine if isinstance(machine, str) else machine.boot_mac
    text = service.http.get(f"/kexec/{mac.replace(':', '-')}").raise_for_status().text
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_command_line_is_the_boot_scripts_own(boot_service: BootService) -> None:
    """But for the token, which is another one each time; files have checksums."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)
    told, script = document(boot_service, machine), boot_service.script(machine)
    by_ipxe = re.search(r"kernel \S+ (.*) initrd=initrd", script)
    assert by_ipxe
    tokens = [re.findall(r"slipway\.token=(\S+)", text)[0] for text in (told["arguments"], by_ipxe[1])]
    assert told["arguments"].replace(tokens[0], tokens[1]) == by_ipxe[1]
    assert tokens[0] != tokens[1]
    assert told["kernel_sha256"] == hashlib.sha256(b"a kernel").hexdigest()
    assert told["initrd"] == "http://192.0.2.10:8080/boot/initrd"
    assert "kexec" not in told
    assert boot_service.deployment(deployment_id).boots == 2


def test_who_is_not_to_boot_is_told_why(boot_service: BootService) -> None:
    """A stranger, with an alert; a machine for which nothing is open."""
    assert document(boot_service, STRANGER) == {"nothing": "this machine is not known here"}
    assert boot_service.alerts(AlertKind.UNKNOWN_BOOT) == [(STRANGER, 1)]
    told = document(boot_service, boot_service.add_machine(MachineState.QUARANTINE))
    assert told == {"nothing": "nothing is to be done to this machine (quarantine)"}


def test_it_counts_as_a_boot_script_does(boot_service: BootService) -> None:
    """Three times, whatever way they are asked for."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    deployment_id = boot_service.open(machine, DeploymentKind.WIPE)
    boot_service.script(machine)
    assert ["arguments" in document(boot_service, machine) for _ in range(3)] == [True, True, False]
    assert boot_service.deployment(deployment_id).error_code == "boot_loop"


def test_a_distributions_installer_is_not_started_so(boot_service: BootService, rented: RentedMachine) -> None:
    """Its kernel knows nothing of our VLAN."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, installer_profile(ImageFormat.INSTALLER_DEBIAN))
    assert "installer is not started through a rescue system" in document(boot_service, rented.machine)["nothing"]


@dataclass
class Rescue:
    """A rescue system that is a folder on this computer: its cards, and programs that note how they are called."""

    service: BootService
    folder: Path

    @property
    def work(self) -> Path:
        """Where the script puts what it fetches."""
        return self.folder / "work"

    def run(self, mac: str, url: str = "") -> subprocess.CompletedProcess[str]:
        """Have root's shell read the script."""
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "SYS": str(self.folder / "sys"),
            "WORK": str(self.work),
            "PAUSE": "0",
        }
        # Not busybox's shell, which would take its own ip before the one that only notes its words.
        command = ["/bin/sh", "-s", "--", mac, "4001", "10.20.0.10/24", url or self.service.url]
        return subprocess.run(
            command, input=SCRIPT.read_text(), env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def calls(self) -> list[str]:
        """What was called, line by line."""
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def rescue(database: Database, tmp_path: Path) -> Iterator[Rescue]:
    """A rescue system, and a boot service that is where it says it is."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "wget").symlink_to(program("busybox"))
    for name in ("ip", "kexec", "modprobe"):
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/calls\n')
        (tools / name).chmod(0o755)
    with listener("127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        runtime = boot_runtime(database, tmp_path, pxe_url=url)
        server = server_for(create_boot_app(runtime))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        with httpx.Client(base_url=url) as http:
            yield Rescue(BootService(url, runtime, http), tmp_path)
        server.should_exit = True
        thread.join()


@pytest.fixture
def machine(rescue: Rescue) -> Machine:
    """A machine that is to be inspected, with two cards."""
    made = rescue.service.add_machine()
    for number, mac in enumerate(made.macs):
        (rescue.folder / f"sys/class/net/eth{number}/device").mkdir(parents=True)
        (rescue.folder / f"sys/class/net/eth{number}/address").write_text(f"{mac}\n")
    rescue.service.open(made, DeploymentKind.INSPECT)
    return made


@pytest.mark.usefixtures("metal_tools")
class TestScript:
    def test_what_the_boot_service_has_is_loaded(self, rescue: Rescue, machine: Machine) -> None:
        """Over the VLAN of the right card, with its checksums; the deployer is told of the VLAN, too."""
        done = rescue.run(machine.boot_mac)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert "ip link add link eth0 name slipway type vlan id 4001" in rescue.calls()
        assert "ip link set dev slipway mtu 1400" in rescue.calls()
        assert "ip addr replace 10.20.0.10/24 dev slipway" in rescue.calls()
        (load,) = [line for line in rescue.calls() if line.startswith("kexec")]
        assert f"--load {rescue.work}/kernel --initrd={rescue.work}/initrd" in load
        assert re.search(r"--command-line=slipway\.url=\S+ slipway\.deployment=\S+ slipway\.token=\S+ ", load)
        assert load.endswith("slipway.entered=rescue slipway.vlan=4001 slipway.address=10.20.0.10/24")
        assert (rescue.work / "initrd").read_bytes() == b"an initrd"
        assert not (rescue.work / "document").exists()
        assert "kexec --exec" in (rescue.work / "jump").read_text()

    def test_our_own_kexec_is_used_where_the_boot_service_has_one(self, rescue: Rescue, machine: Machine) -> None:
        """With its own loader and libraries."""
        loader = f'#!/bin/sh\necho ours "$@" >>{rescue.folder}/calls\n'.encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            member = tarfile.TarInfo("kexec.d/ld-linux-x86-64.so.2")
            member.size, member.mode = len(loader), 0o755
            archive.addfile(member, io.BytesIO(loader))
        (rescue.service.runtime.settings.pxe_deployer / "kexec").write_bytes(packed.getvalue())
        assert rescue.run(machine.boot_mac).returncode == 0
        assert any(
            line.startswith("ours --library-path") and "/kexec.d/kexec --load" in line for line in rescue.calls()
        )

    def test_who_is_not_to_boot_ends_with_the_reason(self, rescue: Rescue, machine: Machine) -> None:
        """And a status of its own."""
        rescue.service.change(lambda session: _quarantined(session.get_one(Machine, machine.id)))
        done = rescue.run(machine.boot_mac)
        assert done.returncode == 3
        assert done.stderr == "there is nothing to boot: nothing is to be done to this machine (quarantine)\n"
        assert not any(line.startswith("kexec") for line in rescue.calls())

    def test_another_card_than_the_recorded_one_is_told(self, rescue: Rescue, machine: Machine) -> None:
        """Before anything is changed."""
        del machine
        done = rescue.run(STRANGER)
        assert (done.returncode, done.stderr) == (4, f"no network card has the MAC address {STRANGER}\n")
        assert not (rescue.folder / "calls").exists()

    def test_a_boot_service_that_is_not_reached_is_told(self, rescue: Rescue, machine: Machine) -> None:
        """After some tries, for a switch takes its time."""
        done = rescue.run(machine.boot_mac, "http://127.0.0.1:9")
        assert done.returncode == 4
        assert "could not be fetched over the VLAN 4001" in done.stderr

    def test_a_file_that_came_otherwise_is_not_loaded(self, rescue: Rescue, machine: Machine) -> None:
        """By its checksum, which came with the token."""
        (rescue.folder / "bin/wget").unlink()
        spoiled = f'#!/bin/sh\n{program("busybox")} wget "$@"; case $3 in *initrd) echo more >>$3;; esac\n'
        (rescue.folder / "bin/wget").write_text(spoiled)
        (rescue.folder / "bin/wget").chmod(0o755)
        done = rescue.run(machine.boot_mac)
        assert (done.returncode, done.stderr) == (4, "what came as initrd is not what the boot service has\n")
        assert not any(line.startswith("kexec") for line in rescue.calls())

    def test_nothing_of_the_token_is_printed_when_kexec_fails(self, rescue: Rescue, machine: Machine) -> None:
        """The worker gets what is printed."""
        (rescue.folder / "bin/kexec").write_text('#!/bin/sh\necho "Cannot open: $*"; echo no memory >&2; exit 1\n')
        done = rescue.run(machine.boot_mac)
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr == "kexec does not take the kernel: no memory\n"

    def test_a_second_run_begins_anew(self, rescue: Rescue, machine: Machine) -> None:
        """With another token; the VLAN that is there is kept."""
        (rescue.folder / "sys/class/net/slipway").mkdir()
        for _ in range(2):
            assert rescue.run(machine.boot_mac).returncode == 0
        assert not any("type vlan" in line for line in rescue.calls())
        tokens = {re.findall(r"slipway\.token=(\S+)", line)[0] for line in rescue.calls() if "slipway.token" in line}
        assert len(tokens) == 2


def _quarantined(machine: Machine) -> None:
    machine.state = MachineState.QUARANTINE


def test_the_phase_is_told_as_for_a_script(boot_service: BootService) -> None:
    """Whoever follows sees that the machine has come."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)
    document(boot_service, machine)
    assert boot_service.deployment(deployment_id).phase is DeploymentPhase.SCRIPT
