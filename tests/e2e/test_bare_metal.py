"""A machine from nothing to a customer and back into the pool: nothing is simulated but the iron.

QEMU's machines with blank disks behind sushy-tools' Redfish, a real dnsmasq and iPXE in a network namespace, the real
engine, PostgreSQL and Redis. The tests tell one story and run in their order.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncssh
import httpx
import pytest
from sqlalchemy import select

from api.alerts.models import Alert
from api.db.session import Database, connect
from api.machines.lifecycle import is_wiped
from api.machines.models import Deployment, DeploymentEvent, Machine, WipeReport
from automation.embedded.system import EmbeddedSystem, SystemOptions
from components.specs.machine import DeploymentKind, MachineState
from tests.fixtures.metal import need_metal

if TYPE_CHECKING:
    from lab.document import MetalSection

pytestmark = [pytest.mark.e2e, pytest.mark.engine, pytest.mark.timeout(900)]

MARKER = b"a tenant's secret that nobody else may ever read"
_PASSWORD = "correct horse battery staple"
_PATIENCE_SECONDS = 600.0
_SETTINGS = {
    "SLIPWAY_SWEEP_SECONDS": "1",
    "SLIPWAY_RETRY_BASE_SECONDS": "0.5",
    "SLIPWAY_REQUESTS_PER_MINUTE": "100000",
}


@dataclass
class Story:
    """One customer and one machine.

    Attributes:
        order: as the API told it.
        key: the customer's own.
    """

    system: EmbeddedSystem
    database: Database
    section: "MetalSection"
    http: httpx.Client
    key: asyncssh.SSHKey
    order: dict[str, Any] = field(default_factory=dict)

    def machine(self) -> Machine:
        """The machine's row, detached."""
        with self.database.transaction() as transaction:
            machine = transaction.session.scalars(select(Machine)).one()
            transaction.session.expunge(machine)
            return machine

    def workload(self) -> dict[str, Any]:
        """The workload as its owner sees it."""
        found: dict[str, Any] = self.http.get(f"/v1/workloads/{self.order['workload_id']}").raise_for_status().json()
        return found

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Ask something of the API."""
        headers = {"Idempotency-Key": str(uuid4())}
        answer = self.http.post(f"/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ssh(self, command: str) -> str:
        """What a command says on the customer's machine, with the customer's key."""
        return asyncio.run(self._ssh(self.workload()["ipv4"], command))

    async def _ssh(self, address: str, command: str) -> str:
        # Bound to the provisioning network's address: only from there do the machine's addresses lead to it.
        options = asyncssh.connect(
            address,
            username="root",
            client_keys=[self.key],
            known_hosts=None,
            local_addr=(self.section.host_address, 0),
            login_timeout=120,
            config=[],
        )
        async with options as connection:
            done = await connection.run(command, check=True)
            return str(done.stdout)

    def until_status(self, status: str) -> None:
        """Wait until the workload has a status; fails with the log of its last operation."""
        self.until(lambda: self.workload()["status"] == status, f"the workload to be {status}")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Look until something is so, or fail with what the machine said."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline or self._is_lost():
                raise AssertionError(f"waited for {what}:\n{self.told()}\n{self._console()}")
            time.sleep(0.2)

    def told(self) -> str:
        """What is known of all deployments, line by line."""
        with self.database.transaction() as transaction:
            query = select(Deployment.kind, DeploymentEvent.at, DeploymentEvent.message).join(
                Deployment, Deployment.id == DeploymentEvent.deployment_id
            )
            rows = transaction.session.execute(query.order_by(DeploymentEvent.id)).all()
            alerts = transaction.session.scalars(select(Alert.message)).all()
        lines = [f"{row.at:%H:%M:%S.%f} {row.kind}: {row.message}" for row in rows]
        return "\n".join([*lines, *(f"alert: {message}" for message in alerts)])

    def phases(self, kind: DeploymentKind) -> list[str]:
        """The phases that the newest deployment of a kind went through."""
        with self.database.transaction() as transaction:
            newest = select(Deployment.id).where(Deployment.kind == kind).order_by(Deployment.id.desc()).limit(1)
            query = select(DeploymentEvent.phase).where(
                DeploymentEvent.deployment_id == newest.scalar_subquery(), DeploymentEvent.phase.is_not(None)
            )
            found = transaction.session.scalars(query.order_by(DeploymentEvent.id)).all()
        return list(dict.fromkeys(phase.value for phase in found if phase is not None))

    def disk(self) -> Path:
        """The file behind the machine's first disk."""
        return Path(self.section.machines[0].disks[0])

    def _is_lost(self) -> bool:
        if self.machine().state is MachineState.QUARANTINE:
            return True
        return bool(self.order) and self.workload()["status"] == "needs_attention"

    def _console(self) -> str:
        return Path(self.section.machines[0].console).read_text(errors="replace")[-3000:]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """Return a system with one machine that nobody has looked at, and a customer with a key."""
    need_metal()
    from lab.document import LabDocument  # noqa: PLC0415 - its SDKs take seconds to import, and most tests need none

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-")))
        options = SystemOptions(lab_options=("--nodes=cloud=1", "--metal=1"))
        system = stack.enter_context(EmbeddedSystem(home, options, environment={**os.environ, **_SETTINGS}))
        assert system.lab_document is not None
        section = LabDocument.load(system.lab_document).metal
        assert section is not None
        key = asyncssh.generate_private_key("ssh-ed25519", comment="ada@example")
        http = stack.enter_context(httpx.Client(base_url=system.api_url, timeout=30))
        credentials = {"email": "ada@example.com", "password": _PASSWORD}
        http.post("/v1/auth/register", json=credentials).raise_for_status()
        http.headers["X-CSRF-Token"] = http.post("/v1/auth/login", json=credentials).json()["csrf_token"]
        public = key.export_public_key().decode().strip()
        http.post("/v1/ssh-keys", json={"name": "laptop", "public_key": public}).raise_for_status()
        yield Story(system, stack.enter_context(closing(connect(system.settings["DATABASE_URL"]))), section, http, key)


def test_a_new_machine_is_inspected_and_wiped_before_it_is_offered(story: Story) -> None:
    """Nothing that was told of it is believed, and nothing that may be on its disks is sold."""
    story.until(lambda: story.machine().state is MachineState.AVAILABLE, "the machine to be available")

    machine = story.machine()
    assert is_wiped(machine)
    assert machine.facts is not None
    assert machine.facts["serial"] == story.section.machines[0].serial
    assert story.phases(DeploymentKind.INSPECT)[:3] == ["power", "script", "inspect"]


def test_a_paid_order_becomes_a_machine_that_knows_the_customers_key(story: Story) -> None:
    """Ordered, paid by Stripe's signed webhook, booted over the network, written, and started from its own disk."""
    story.order = story.post(
        "/orders", product="bare-metal", size="lab-metal", template="tiny-a", name="iron", ssh_keys=["laptop"]
    )
    httpx.post(story.order["checkout_url"], data={"action": "pay"}, timeout=60)
    story.until_status("running")

    assert story.ssh("cat /etc/slipway-image").strip() == "tiny-a"
    assert story.ssh("hostname").strip() == "iron"
    assert story.machine().state is MachineState.ACTIVE
    assert story.phases(DeploymentKind.INSTALL) == [
        "power",
        "script",
        "inspect",
        "write",
        "verify",
        "configure",
        "reboot",
        "first_boot",
        "done",
    ]


def test_an_operations_log_tells_each_phase(story: Story) -> None:
    """The customer sees the machine's own words while it is installed."""
    operations = story.http.get(f"/v1/workloads/{story.order['workload_id']}/operations").json()["items"]
    with story.http.stream("GET", f"/v1/operations/{operations[0]['id']}/events") as stream:
        text = "".join(stream.iter_text())

    assert "The machine asked for its boot script" in text
    assert "It is the right machine" in text


def test_another_image_is_installed_with_the_owners_consent(story: Story) -> None:
    """The same machine, another system; what was there is gone."""
    story.ssh(f"echo {MARKER.decode()!r} > /root/secret; sync")
    story.post(f"/workloads/{story.order['workload_id']}/reinstall", template="tiny-b", confirm="iron")
    story.until(lambda: (story.machine().installed or {}).get("image") == "tiny-b", "the other image")
    story.until_status("running")

    assert story.ssh("cat /etc/slipway-image").strip() == "tiny-b"


def test_a_cancelled_machine_is_wiped_and_back_in_the_pool(story: Story) -> None:
    """A marker on the disk is gone from the very file behind it, and a signed report says so."""
    story.ssh(f"echo {MARKER.decode()!r} > /root/secret; sync")
    assert MARKER in story.disk().read_bytes()
    story.post(f"/workloads/{story.order['workload_id']}/cancel")
    story.until(lambda: story.workload()["status"] == "deleted", "the workload to be gone")

    machine = story.machine()
    assert machine.state is MachineState.AVAILABLE
    assert machine.workload_id is None
    assert is_wiped(machine)
    assert MARKER not in story.disk().read_bytes()
    with story.database.transaction() as transaction:
        reports = transaction.session.scalars(select(WipeReport).order_by(WipeReport.id.desc())).all()
        assert str(reports[0].workload_id) == story.order["workload_id"]
        assert all(disk["nonzero_samples"] == 0 for disk in reports[0].disks)
        assert transaction.session.scalars(select(Alert).where(Alert.resolved_at.is_(None))).all() == []
