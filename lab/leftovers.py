"""What is left in the lab's world of an estate that was taken down. Changes nothing; all calls block."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
from proxmoxer import ProxmoxAPI

from lab.document import LabDocument
from lab.truth import Truth

_NOTHING_FOUND = 404


def leftovers(truth: Truth) -> dict[str, list[str]]:
    """Everything that platform stacks could have made and that is still there, by stand-in and kind."""
    return {place: names for place, names in _look(truth) if names}


def _look(truth: Truth) -> Iterator[tuple[str, list[str]]]:
    document = truth.document
    for kind, names in truth.cloud().items():
        yield f"Hetzner Cloud: {kind}", names
    for kind, names in truth.edge().items():
        yield f"Cloudflare: {kind}", names
    for node in document.proxmox.nodes:
        for kind, names in truth.node_leftovers(node.name).items():
            yield f"{node.name}: {kind}", names
    yield from _at_robot(document)
    yield from _at_backup_server(document)


def _at_robot(document: LabDocument) -> Iterator[tuple[str, list[str]]]:
    section = document.robot
    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as robot:

        def listed(path: str) -> list[dict[str, object]]:
            answer = robot.get(path)
            if answer.status_code == _NOTHING_FOUND:  # Robot's way to say that a list is empty
                return []
            found: list[dict[str, object]] = answer.raise_for_status().json()
            return found

        yield "Robot: vSwitches", [str(item["name"]) for item in listed("/vswitch") if not item["cancelled"]]
        yield "Robot: keys", [str(item["key"]) for item in listed("/key")]
        yield "Robot: reverse names", [str(item["rdns"]) for item in listed("/rdns")]


def _at_backup_server(document: LabDocument) -> Iterator[tuple[str, list[str]]]:
    section = document.pbs
    address = urlsplit(section.base_url)
    api = ProxmoxAPI(
        address.hostname,
        port=address.port,
        service="PBS",
        user=section.username,
        password=section.password,
        verify_ssl=section.certificate,
    )
    yield "backup server: datastores", [item["name"] for item in api.config.datastore.get()]
    yield "backup server: jobs", [item["id"] for item in [*api.config.prune.get(), *api.config.verify.get()]]
    yield "backup server: users", [item["userid"] for item in api.access.users.get() if item["userid"] != "root@pam"]
    api._store["session"].close()  # noqa: SLF001 - proxmoxer has no public way
