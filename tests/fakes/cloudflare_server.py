"""A Cloudflare of each test's own: the lab's application, served over HTTP from a thread."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from automation.toolchain.plugins.cloudflare.client import CloudflareClient
from lab.cloudflare.app import create_app
from lab.cloudflare.settings import CloudflareSettings
from lab.document import CloudflareSection

ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353"
ACCOUNT_ID = "a" * 32
TOKEN = "the token of this test"
CONTROL_TOKEN = "opens the faults"


@dataclass(frozen=True, slots=True)
class Cloudflare:
    """Where it is.

    Attributes:
        url: base URL of the API.
        control_url: takes faults, with ``CONTROL_TOKEN``.
        client: speaks to it.
    """

    url: str
    control_url: str
    client: CloudflareClient


@contextlib.contextmanager
def cloudflare_server(*, bare: bool = False) -> Iterator[Cloudflare]:
    """An empty zone ``slipway.example``, over HTTP; none in a ``bare`` account."""
    section = CloudflareSection(api_token=TOKEN, account_id=ACCOUNT_ID, zone_id=ZONE_ID, zone_name="slipway.example")
    settings = CloudflareSettings(section=section, control_token=CONTROL_TOKEN, bare=bare)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings), log_level="error", access_log=False, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    control_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    url = f"{control_url}/client/v4"
    yield Cloudflare(url, control_url, CloudflareClient(TOKEN, url))
    server.should_exit = True
    thread.join()
    listener.close()
