"""A customer for the demo and the benchmarks: signs up, adds a key, orders, pays. Speaks HTTP only."""

import base64
import secrets
import struct
import time
from dataclasses import dataclass
from typing import Any

import httpx

from automation.cli.account import SCOPES
from automation.cli.client import ApiClient
from automation.cli.credentials import Credentials

KEY_NAME = "laptop"
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Wish:
    """What to order."""

    product: str
    size: str
    template: str
    name: str


@dataclass(frozen=True)
class Customer:
    """A signed-up customer with an API token and one SSH key."""

    client: ApiClient
    email: str

    def quote(self, wish: Wish) -> dict[str, Any]:
        """Ask for a price, and wait until the engine has said what it would do."""
        answer: dict[str, Any] = self.client.post("/quotes", _body(wish))
        while answer["status"] == "planning":
            time.sleep(_POLL_SECONDS)
            answer = self.client.get(f"/quotes/{answer['id']}")
        return answer

    def order(self, wish: Wish) -> dict[str, Any]:
        """Place an order; returns it with the address of its payment page."""
        answer: dict[str, Any] = self.client.post_until_answered("/orders", _body(wish), secrets.token_hex(16))
        return answer

    def workload(self, workload_id: str) -> dict[str, Any]:
        """Fetch a workload."""
        answer: dict[str, Any] = self.client.get(f"/workloads/{workload_id}")
        return answer


def sign_up(api_url: str) -> Customer:
    """Open an account under a made-up address and give it a token and a made-up SSH key."""
    email, password = f"{secrets.token_hex(6)}@customer.example", secrets.token_urlsafe(18)
    with ApiClient(Credentials(api_url)) as visitor:
        visitor.post("/auth/register", {"email": email, "password": password})
        csrf = {"X-CSRF-Token": visitor.post("/auth/login", {"email": email, "password": password})["csrf_token"]}
        token = visitor.post("/tokens", {"name": "demo", "scopes": SCOPES}, csrf)["token"]
    client = ApiClient(Credentials(api_url, token))
    client.post("/ssh-keys", {"name": KEY_NAME, "public_key": made_up_key()})
    return Customer(client, email)


def pay(checkout_url: str) -> None:
    """Press the button of the lab's payment page; Stripe's stand-in then sends its signed webhook.

    Raises:
        httpx.HTTPStatusError: if the page refuses.
    """
    answer = httpx.post(checkout_url, data={"action": "pay"}, timeout=30)
    if not answer.is_redirect:
        answer.raise_for_status()


def made_up_key() -> str:
    """Return a public key in OpenSSH's form (RFC 8709) that nobody has the private half of."""
    kind = b"ssh-ed25519"
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (kind, secrets.token_bytes(32)))
    return f"{kind.decode()} {base64.b64encode(blob).decode()} demo@slipway"


def _body(wish: Wish) -> dict[str, Any]:
    keys = [KEY_NAME] if wish.product in {"cloud-vm", "bare-metal"} else []
    return {
        "product": wish.product,
        "size": wish.size,
        "template": wish.template,
        "name": wish.name,
        "ssh_keys": keys,
    }
