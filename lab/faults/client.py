"""Causing faults from a test or a script: HTTP calls to the stand-ins' control addresses. All calls block."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from lab.document import LabDocument
from lab.faults.rules import Fault, FaultKind

TIMEOUT = 30.0
"""Seconds for one control call; releasing webhooks waits for their answers."""


SWITCHING = 0.2
"""Seconds that a change of a vSwitch takes in the lab unless a test says otherwise."""


BOOTING = 0.2
"""Seconds that a machine takes to boot, and to be installed, unless a test says otherwise."""


class StandInControl:
    """The control address of one stand-in: its faults."""

    def __init__(self, control_url: str, token: str, certificate: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        trust = True if certificate is None else ssl.create_default_context(cafile=certificate)
        self._http = httpx.Client(base_url=f"{control_url}/_lab", headers=headers, timeout=TIMEOUT, verify=trust)

    def add(self, kind: FaultKind | str, **rule: Any) -> Fault:
        """Add a fault; the keywords are the fields of :class:`lab.faults.rules.Fault`."""
        fault = Fault(kind=FaultKind(kind), **rule)
        answer = self._call("POST", "/faults", json=fault.model_dump(mode="json"))
        return Fault.model_validate(answer.json())

    def all(self) -> list[Fault]:
        """Every fault with its number of hits."""
        return [Fault.model_validate(item) for item in self._call("GET", "/faults").json()]

    def remove(self, fault: Fault) -> None:
        """Remove one fault; requests that it froze go on."""
        self._call("DELETE", f"/faults/{fault.id}")

    def clear(self) -> None:
        """Remove all faults; frozen requests go on."""
        self._call("DELETE", "/faults")

    @contextmanager
    def during(self, kind: FaultKind | str, **rule: Any) -> Iterator[Fault]:
        """A fault for the length of a ``with`` block."""
        fault = self.add(kind, **rule)
        try:
            yield fault
        finally:
            self.remove(fault)

    def reset(self) -> None:
        """Empty the stand-in: guests, records, or payments. Templates and the zone stay, and so do faults."""
        self._call("DELETE", "/state")

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._http.request(method, path, **more)
        if answer.is_error:
            raise RuntimeError(f"lab control: {method} {path}: {answer.status_code}: {answer.text}")
        return answer


class ProxmoxControl(StandInControl):
    """Faults of the Proxmox nodes; ``where`` in a fault names one node."""

    def set_task_delay(self, seconds: float, where: str = "*") -> None:
        """How long each task takes on one node, or on all."""
        self._call("PUT", "/task-delay", json={"seconds": seconds, "where": where})

    def install(self, where: str = "*") -> None:
        """Leave on one node, or on all, what Proxmox VE's installation leaves: no templates, ``local`` only."""
        self._call("PUT", "/installation", params={"where": where})

    def requests(self, where: str = "*") -> dict[str, list[list[str]]]:
        """The requests that each node has served, oldest first: ``{node: [[method, path], …]}``."""
        answer: dict[str, list[list[str]]] = self._call("GET", "/requests", params={"where": where}).json()
        return answer


class CloudflareControl(StandInControl):
    """Faults of the Cloudflare stand-in."""

    def set_rate_limit(self, requests: int | None, seconds: float = 300.0) -> None:
        """Allow so many requests in each window; None switches the limit off. Cloudflare has 1200 in 300 s."""
        self._call("PUT", "/rate-limit", json={"requests": requests, "seconds": seconds})


class RobotControl(StandInControl):
    """Faults of the Robot stand-in, its clock, and what no request of Robot's own can do."""

    def set_rate_limit(self, requests: int | None, seconds: float = 3600.0) -> None:
        """Allow so many requests in so many seconds; None switches the limit off. Robot has 200 in an hour."""
        self._call("PUT", "/rate-limit", json={"requests": requests, "seconds": seconds})

    def set_switching(self, seconds: float) -> None:
        """How long the network takes over a change of a vSwitch or a firewall."""
        self._call("PUT", "/switching", json={"seconds": seconds})

    def advance(self, seconds: float) -> None:
        """Set the clock forward."""
        self._call("POST", "/clock", json={"seconds": seconds})

    def forgive(self) -> None:
        """Forget failed logins, used requests and who came, and set the clock right."""
        self._call("POST", "/forgive")

    def requests(self) -> list[tuple[str, str, bool]]:
        """Who came since, oldest first: method, path, and whether the login was good."""
        return [(method, path, good) for method, path, good in self._call("GET", "/requests").json()]

    def couple(self, vswitch: int, **coupling: Any) -> None:
        """Hang ``subnet`` and ``cloud_network`` onto a vSwitch, as Robot and the cloud show them."""
        self._call("PUT", f"/vswitch/{vswitch}/coupling", json=coupling)

    def fail(self, vswitch: int, server: int) -> None:
        """Let the network fail with one server of a vSwitch."""
        self._call("PUT", f"/vswitch/{vswitch}/failed/{server}")

    def machines(self) -> dict[int, dict[str, Any]]:
        """Each server as hardware, by number: ``name``, ``disk``, what it ``runs``, ``installations``, ``deployer``."""
        return {int(number): machine for number, machine in self._call("GET", "/machines").json().items()}

    def set_disk(self, server: int, disk: str) -> None:
        """Have ``blank``, ``proxmox`` or ``other`` on a server's drives."""
        self._call("PUT", f"/machines/{server}/disk/{disk}")

    def set_pace(self, boot: float = BOOTING, install: float = BOOTING) -> None:
        """How long machines take to boot and to be installed."""
        self._call("PUT", "/pace", json={"boot": boot, "install": install})


class StripeControl(StandInControl):
    """Faults of the Stripe stand-in, payments without a browser, and webhooks out of line."""

    def pay(self, session_id: str, card: str = "4242424242424242", webhooks: str | None = None) -> dict[str, Any]:
        """Pay a Checkout Session as its customer would and return it.

        ``webhooks`` (``deliver``, ``hold``, ``drop``) is for this payment's events only; without it the
        current mode applies.
        """
        payment = {"card": card, "webhooks": webhooks}
        answer: dict[str, Any] = self._call("POST", f"/checkout/sessions/{session_id}/pay", json=payment).json()
        return answer

    def set_webhooks(self, mode: str) -> None:
        """What becomes of new events: ``deliver`` them, ``hold`` them for :meth:`release`, or ``drop`` them."""
        self._call("PUT", "/webhooks", json={"mode": mode})

    def release(self, *, order: str = "created", copies: int = 1, simultaneous: bool = False) -> list[dict[str, Any]]:
        """Send the held events and return the attempts (``event``, ``type``, ``status``, ``delivered``)."""
        how = {"order": order, "copies": copies, "simultaneous": simultaneous}
        answer: list[dict[str, Any]] = self._call("POST", "/webhooks/release", json=how).json()
        return answer

    def deliver(self, event_id: str, *, copies: int = 1, simultaneous: bool = False) -> list[dict[str, Any]]:
        """Send one event again, so often, and return the attempts."""
        how = {"copies": copies, "simultaneous": simultaneous}
        answer: list[dict[str, Any]] = self._call("POST", f"/events/{event_id}/deliver", json=how).json()
        return answer

    def attempts(self) -> list[dict[str, Any]]:
        """Every delivery attempt so far, oldest first."""
        answer: list[dict[str, Any]] = self._call("GET", "/webhooks/attempts").json()
        return answer


class HcloudControl(StandInControl):
    """Faults of the Hetzner Cloud stand-in; the task faults take an action's command (``create_server``) as path."""

    def set_rate_limit(self, requests: int = 3600, seconds: float = 3600.0) -> None:
        """The budget of each token, and the seconds in which an empty one fills up again. The API's by default."""
        self._call("PUT", "/rate-limit", json={"requests": requests, "seconds": seconds})

    def set_action_delay(self, seconds: float) -> None:
        """How long actions that begin from now on take."""
        self._call("PUT", "/action-delay", json={"seconds": seconds})

    def user_data(self, server: int) -> str:
        """What a server's cloud-init was given, which the API never tells."""
        return str(self._call("GET", f"/servers/{server}/user-data").json()["user_data"])


class PbsControl(StandInControl):
    """Faults of the Proxmox Backup Server stand-in, and backups that nodes have made."""

    def add_backup(self, store: str, namespace: str, vmid: int) -> None:
        """Have a group of backups in a namespace."""
        self._call("POST", "/backups", json={"store": store, "ns": namespace, "vmid": vmid})

    def clear_backups(self) -> None:
        """Have no backups any more."""
        self._call("DELETE", "/backups")

    def logins(self) -> list[bool]:
        """Whether each login so far was good, oldest first."""
        answer: list[bool] = self._call("GET", "/logins").json()
        return answer


class LabControl:
    """The controls of all stand-ins. A context manager that clears every fault on leaving."""

    def __init__(self, document: LabDocument) -> None:
        token = document.control_token
        self.proxmox = ProxmoxControl(document.proxmox.control_url, token)
        self.cloudflare = CloudflareControl(document.cloudflare.control_url, token)
        self.stripe = StripeControl(document.stripe.control_url, token)
        self.robot = RobotControl(document.robot.control_url, token)
        self.hcloud = HcloudControl(document.hcloud.control_url, token)
        self.pbs = PbsControl(document.pbs.base_url, token, document.pbs.certificate)
        self._all = (self.proxmox, self.cloudflare, self.stripe, self.robot, self.hcloud, self.pbs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.heal()
        self.close()

    def heal(self) -> None:
        """Back to a world without faults, delays, limits or held webhooks."""
        for control in self._all:
            control.clear()
        self.proxmox.set_task_delay(0.0)
        self.cloudflare.set_rate_limit(None)
        self.stripe.set_webhooks("deliver")
        self.robot.set_rate_limit(200)
        self.robot.set_switching(SWITCHING)
        self.robot.set_pace()
        self.robot.forgive()
        self.hcloud.set_rate_limit()
        self.hcloud.set_action_delay(0.0)

    def reset(self) -> None:
        """Empty every stand-in. Sends nothing and waits for nobody: for use between tests."""
        for control in self._all:
            control.reset()

    def close(self) -> None:
        """Close the HTTP connections."""
        for control in self._all:
            control.close()
