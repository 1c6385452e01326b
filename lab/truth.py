"""What is really there, read through the vendors' own clients (proxmoxer, the Cloudflare, Stripe and Hetzner SDKs).

Tests compare the product's records with this. Nothing here changes anything. All calls block.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import hcloud
import stripe
from cloudflare import Cloudflare
from proxmoxer import ProxmoxAPI

from lab.document import HcloudSection, LabDocument, ProxmoxNode

PROXMOX_TIMEOUT = 60
"""Seconds for one request: with slow tasks a busy node answers late."""

CLOUD_POLL = 0.05
"""Seconds between two looks at an action."""

CLOUD_KINDS = (
    "servers",
    "networks",
    "firewalls",
    "load_balancers",
    "volumes",
    "primary_ips",
    "floating_ips",
    "placement_groups",
    "ssh_keys",
    "certificates",
)


@dataclass(frozen=True)
class Guest:
    """A guest on a node. ``kind`` is ``qemu`` or ``lxc``."""

    node: str
    vmid: int
    kind: str
    name: str
    status: str
    tags: tuple[str, ...]
    config: dict[str, Any]


class Truth:
    """Readers for one lab."""

    def __init__(self, document: LabDocument) -> None:
        self._document = document
        self._nodes = {node.name: proxmox_client(node, document.proxmox.ca_file) for node in document.proxmox.nodes}
        section = document.cloudflare
        self._cloudflare = Cloudflare(api_token=section.api_token, base_url=section.base_url, max_retries=0)
        self.stripe = stripe.StripeClient(
            document.stripe.secret_key, base_addresses={"api": document.stripe.base_url}, max_network_retries=0
        )
        self.hcloud = hcloud_client(document.hcloud)

    @property
    def document(self) -> LabDocument:
        """The lab's document."""
        return self._document

    def node(self, name: str) -> ProxmoxAPI:
        """The proxmoxer client of a node."""
        return self._nodes[name]

    def guests(self, *, templates: bool = False) -> list[Guest]:
        """Every guest on every node with its configuration, ordered by VMID."""
        found = [guest for name in self._nodes for guest in self._guests_on(name, templates=templates)]
        return sorted(found, key=lambda guest: guest.vmid)

    def guest(self, vmid: int) -> Guest | None:
        """The guest with this VMID, on whichever node, or None."""
        return next((guest for guest in self.guests(templates=True) if guest.vmid == vmid), None)

    def _guests_on(self, name: str, *, templates: bool) -> Iterator[Guest]:
        api = self._nodes[name]
        for item in api.cluster.resources.get(type="vm"):
            if item.get("template") and not templates:
                continue
            config = getattr(api.nodes(name), item["type"])(item["vmid"]).config.get()
            tags = tuple(filter(None, str(item.get("tags", "")).split(";")))
            yield Guest(name, item["vmid"], item["type"], item["name"], item["status"], tags, config)

    def firewall(self, guest: Guest) -> dict[str, Any]:
        """A guest's firewall: ``options``, ``rules`` and ``ipset`` (name to addresses)."""
        api = getattr(self._nodes[guest.node].nodes(guest.node), guest.kind)(guest.vmid).firewall
        sets = {item["name"]: [entry["cidr"] for entry in api.ipset(item["name"]).get()] for item in api.ipset.get()}
        return {"options": api.options.get(), "rules": api.rules.get(), "ipset": sets}

    def node_leftovers(self, node: str) -> dict[str, list[str]]:
        """What a node has that Proxmox VE's installation does not leave there, by kind; kinds without any left out.

        The datacenter's firewall settings are not in it: the provider leaves them as they are.
        """
        api = self._nodes[node]
        own = next(item.api_token for item in self._document.proxmox.nodes if item.name == node).partition("!")[0]
        firewall = api.cluster.firewall
        found = {
            "guests": [str(item["vmid"]) for item in api.cluster.resources.get(type="vm")],
            "storages": [item["storage"] for item in api.storage.get() if item["storage"] != "local"],
            "content": [item["volid"] for item in api.nodes(node).storage("local").content.get()],
            "pools": [item["poolid"] for item in api.pools.get()],
            "users": [item["userid"] for item in api.access.users.get() if item["userid"] not in {own, "root@pam"}],
            "roles": [item["roleid"] for item in api.access.roles.get() if not item["special"]],
            "grants": [f"{item['path']} {item['ugid']}" for item in api.access.acl.get() if item["ugid"] != own],
            "groups": [item["group"] for item in firewall.groups.get()],
            "rules": [str(item["pos"]) for item in [*firewall.rules.get(), *api.nodes(node).firewall.rules.get()]],
            "sets": [item["name"] for item in [*firewall.ipset.get(), *firewall.aliases.get()]],
            "metrics": [item["id"] for item in api.cluster.metrics.server.get()],
            "interfaces": [
                item["iface"] for item in api.nodes(node).network.get() if item["iface"] not in {"eno1", "vmbr0"}
            ],
            "zones": [item["zone"] for item in api.cluster.sdn.zones.get(pending=1)],
        }
        return {kind: sorted(names) for kind, names in found.items() if names}

    def volumes(self, node: str, storage: str = "local-lvm") -> list[str]:
        """The volume ids on a node's storage, base volumes of templates left out."""
        content = self._nodes[node].nodes(node).storage(storage).content.get()
        return sorted(item["volid"] for item in content if "base-" not in item["volid"].split("/")[0])

    def records(self, name: str | None = None) -> dict[tuple[str, str], list[str]]:
        """The records of all zones: ``{(name, type): contents}``, of one name or of all."""
        found: dict[tuple[str, str], list[str]] = {}
        for zone in self._cloudflare.zones.list():
            for record in self._cloudflare.dns.records.list(zone_id=zone.id, per_page=1000):
                if name is None or record.name == name:
                    found.setdefault((record.name, record.type), []).append(str(record.content))
        return {key: sorted(contents) for key, contents in sorted(found.items())}

    def edge(self) -> dict[str, list[str]]:
        """What there is at Cloudflare beside records, by kind; kinds without any left out."""
        return at_cloudflare(self._cloudflare, self._document.cloudflare.account_id)

    def cloud(self) -> dict[str, list[str]]:
        """The names of everything in the provider's own Hetzner Cloud project, by kind; kinds without any left out."""
        found = {kind: sorted(item.name for item in getattr(self.hcloud, kind).get_all()) for kind in CLOUD_KINDS}
        return {kind: names for kind, names in found.items() if names}

    def close(self) -> None:
        """Close the HTTP connections."""
        self._cloudflare.close()
        self.hcloud._client._session.close()  # noqa: SLF001 - the SDK has no public way
        for api in self._nodes.values():
            api._store["session"].close()  # noqa: SLF001 - proxmoxer has no public way


def at_cloudflare(there: Cloudflare, account: str) -> dict[str, list[str]]:
    """The names of everything in an account beside records, by kind; kinds without any left out."""
    zones = list(there.zones.list())
    balancing, tunnels = there.load_balancers, there.zero_trust.tunnels.cloudflared
    found: dict[str, list[str]] = {
        "zones": [zone.name for zone in zones],
        "rulesets": [str(item.phase) for zone in zones for item in there.rulesets.list(zone_id=zone.id)],
        "load_balancers": [str(item.name) for zone in zones for item in balancing.list(zone_id=zone.id)],
        "pools": [str(item.name) for item in balancing.pools.list(account_id=account)],
        "monitors": [str(item.path) for item in balancing.monitors.list(account_id=account)],
        "tunnels": [str(item.name) for item in tunnels.list(account_id=account, is_deleted=False)],
    }
    return {kind: sorted(names) for kind, names in found.items() if names}


def hcloud_client(section: HcloudSection, project: str = "slipway") -> hcloud.Client:
    """The official client of one of the lab's Hetzner Cloud projects. Makes no request."""
    return hcloud.Client(section.tokens[project], api_endpoint=section.base_url, poll_interval=CLOUD_POLL)


def proxmox_client(node: ProxmoxNode, ca_file: str) -> ProxmoxAPI:
    """A proxmoxer client with the node's API token, trusting the lab's certificate. Makes no request."""
    logging.getLogger("proxmoxer").setLevel(logging.WARNING)
    token_id, _, secret = node.api_token.partition("=")
    user, _, name = token_id.partition("!")
    address = urlsplit(node.endpoint)
    return ProxmoxAPI(
        address.hostname,
        port=address.port,
        user=user,
        token_name=name,
        token_value=secret,
        verify_ssl=ca_file,
        timeout=PROXMOX_TIMEOUT,
    )
