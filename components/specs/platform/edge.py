"""The edge stack's configuration: the zone and its rules, the way to the API, and the bastion."""

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components.specs.names import Hostname
from components.specs.network import Frozen, ZoneId, ZoneName
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.cloud_server import CloudServerSpec
from components.specs.platform.edge_rules import RateLimitSpec, WafSpec
from components.specs.platform.vpn import VpnSpec, repeated

_PROXIABLE = frozenset({"A", "AAAA", "CNAME"})
_VERSIONS = {"A": 4, "AAAA": 6}
AUTOMATIC_TTL = 1
HealthPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/._-]*$")]
STRICT_SETTINGS = {"always_use_https": "on", "min_tls_version": "1.2", "ssl": "strict"}


class EdgeZoneSpec(Frozen):
    """The estate's zone at Cloudflare.

    Attributes:
        id: of a zone that is there already and stays when this stack goes; without it the zone is this stack's own.
        account_id: Cloudflare's; left out, the environment's ``CLOUDFLARE_ACCOUNT_ID``.
        settings: by Cloudflare's ids; the strict ones unless said otherwise.
        holds_workloads: whether customers' names are made in it.
    """

    name: ZoneName
    id: ZoneId | None = None
    account_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    settings: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], str] = Field(
        default_factory=lambda: dict(STRICT_SETTINGS)
    )
    holds_workloads: bool = True


class RecordSpec(Frozen):
    """A record of the provider's own. ``name`` is without the zone's; ``@`` is the zone itself."""

    name: Annotated[
        str, Field(pattern=r"^(@|\*|(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*)$")
    ]
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT"]
    content: Annotated[str, Field(min_length=1, max_length=4096)]
    priority: Annotated[int, Field(ge=0, le=65535)] | None = None
    proxied: bool = False
    ttl: Annotated[int, Field(ge=1, le=86400)] = AUTOMATIC_TTL

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.proxied and self.type not in _PROXIABLE:
            raise ValueError(f"'proxied': {self.type} records cannot be, only {', '.join(sorted(_PROXIABLE))}")
        if self.ttl != AUTOMATIC_TTL and (self.proxied or self.ttl < 60):  # noqa: PLR2004 - seconds, Cloudflare's least
            raise ValueError("'ttl': give 1 (automatic, as proxied records must have) or 60 to 86400 seconds")
        if (self.priority is not None) != (self.type == "MX"):
            raise ValueError("'priority' belongs to MX records, which need one")
        version = _VERSIONS.get(self.type)
        if version is not None and _version(self.content) != version:
            raise ValueError(f"'content': '{self.content}' is no IPv{version} address, which {self.type} records need")
        return self


def _version(text: str) -> int | None:
    try:
        return ipaddress.ip_address(text).version
    except ValueError:
        return None


class ManagedCertificateSpec(Frozen):
    """A certificate that Hetzner gets and renews; the names must be in a zone at Hetzner's own DNS."""

    kind: Literal["managed"]
    names: Annotated[tuple[ZoneName, ...], Field(min_length=1)]


class StoredCertificateSpec(Frozen):
    """A certificate that somebody put at Hetzner Cloud under this name: its key is in no configuration and no state."""

    kind: Literal["stored"]
    name: Annotated[str, Field(min_length=1, max_length=64)]


def _selector(text: str) -> str:
    if not all(re.fullmatch(r"[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]+)?", part) for part in text.split(",")):
        raise ValueError(f"'{text}' is no label selector: give such as 'role=api' or 'role=api,estate=lab'")
    return text


class BalancerSpec(Frozen):
    """The Hetzner Cloud load balancer before the API's servers, which it reaches by their private addresses.

    Attributes:
        private_address: its own, in the subnet ``edge``.
        is_public: whether it is reached from the Internet; behind a tunnel it need not be.
        selector: labels of the servers it sends to; or else
        servers: their ids.
        port: where the API listens.
        health_path: what the API answers with 200 while it wants requests.
        interval: seconds between two looks at each server.
    """

    name: Slug
    type: Annotated[str, Field(pattern=r"^lb[0-9]+$")] = "lb11"
    location: Annotated[str, Field(pattern=r"^[a-z]{3}[0-9]?$")]
    private_address: ipaddress.IPv4Address
    is_public: bool = False
    selector: Annotated[str, AfterValidator(_selector)] | None = None
    servers: tuple[Annotated[int, Field(ge=1)], ...] = ()
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    health_path: HealthPath = "/readyz"
    interval: Annotated[int, Field(ge=3, le=60)] = 10
    certificate: Annotated[ManagedCertificateSpec | StoredCertificateSpec, Field(discriminator="kind")] | None = None

    @model_validator(mode="after")
    def _has_targets(self) -> Self:
        if (self.selector is None) == (not self.servers):
            raise ValueError("give either 'selector' or 'servers': what it sends to")
        for server in repeated(self.servers):
            raise ValueError(f"'servers': {server} is there twice")
        return self

    @property
    def listen_port(self) -> int:
        """Where it takes requests: by TLS if it has a certificate."""
        return 443 if self.certificate is not None else 80


class TunnelEntrySpec(Frozen):
    """By a tunnel from inside to Cloudflare: nothing of the API is reached from the Internet around Cloudflare."""

    kind: Literal["tunnel"]
    name: Slug


class ProxiedEntrySpec(Frozen):
    """By a record that names the load balancer, proxied by Cloudflare."""

    kind: Literal["proxied"]


class OriginSpec(Frozen):
    """A place of the API: an address or a name, and its share of the requests."""

    name: Slug
    address: Annotated[str, Field(min_length=1)]
    weight: Annotated[float, Field(ge=0, le=1)] = 1.0


class PooledEntrySpec(Frozen):
    """By Cloudflare's load balancing, which looks at each place itself and leaves out what does not answer.

    Attributes:
        origins: beside the load balancer of this stack, those of other sites.
        health_path: what it asks each for.
        interval: seconds between two looks.
    """

    kind: Literal["pooled"]
    origins: tuple[OriginSpec, ...] = ()
    health_path: HealthPath = "/readyz"
    interval: Annotated[int, Field(ge=10, le=3600)] = 60


class ApiEntrySpec(Frozen):
    """Where customers reach the API: ``label`` within the zone, and the way there."""

    label: Hostname = "api"
    entry: Annotated[TunnelEntrySpec | ProxiedEntrySpec | PooledEntrySpec, Field(discriminator="kind")]


class BastionSpec(Frozen):
    """The one door for admins.

    Attributes:
        server: with a public address; in the subnet ``edge``.
        ssh_from: networks that SSH is let in from before the VPN is set up. Empty in every day's work.
        way_out_for: networks whose servers have no public address and reach the Internet through it.
    """

    server: CloudServerSpec
    vpn: VpnSpec
    ssh_from: tuple[ipaddress.IPv4Network, ...] = ()
    way_out_for: tuple[ipaddress.IPv4Network, ...] = ()

    @model_validator(mode="after")
    def _is_reached(self) -> Self:
        if not self.server.has_public_ipv4:
            raise ValueError("'server.has_public_ipv4': admins reach the VPN by it: give true")
        if ipaddress.IPv4Network("0.0.0.0/0") in self.ssh_from:
            raise ValueError("'ssh_from': 0.0.0.0/0 is everybody: name the networks that admins come from")
        return self


class EdgeSpec(PlatformSpec):
    """What the edge stack is configured with. ``records`` beside the API's own."""

    zone: EdgeZoneSpec
    records: tuple[RecordSpec, ...] = ()
    waf: WafSpec = WafSpec()
    rate_limits: tuple[RateLimitSpec, ...] = ()
    balancer: BalancerSpec | None = None
    api: ApiEntrySpec
    bastion: BastionSpec

    @property
    def api_hostname(self) -> str:
        """The API's full name."""
        return f"{self.api.label}.{self.zone.name}"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for key in repeated((item.name, item.type, item.content) for item in self.records):
            raise ValueError(f"'records': {key} is there twice")
        if any(item.name == self.api.label for item in self.records):
            raise ValueError(f"'records': '{self.api.label}' is the API's own, made by 'api': leave it out")
        for name in repeated(item.name for item in self.rate_limits):
            raise ValueError(f"'rate_limits': two have the name '{name}'")
        self._check_entry()
        if self.balancer is not None and self.balancer.private_address == self.bastion.server.private_address:
            raise ValueError(
                f"'balancer.private_address' and 'bastion.server.private_address' are both "
                f"{self.balancer.private_address}: give each its own"
            )
        return self

    def _check_entry(self) -> None:
        """The API's way in must lead somewhere."""
        entry, balancer = self.api.entry, self.balancer
        if balancer is None:
            if entry.kind != "pooled" or not entry.origins:
                raise ValueError(f"'api.entry' is '{entry.kind}' and leads nowhere: give a 'balancer'")
            return
        if entry.kind == "tunnel":
            return
        if not balancer.is_public or balancer.certificate is None:
            raise ValueError(
                f"'api.entry' is '{entry.kind}', so Cloudflare reaches the balancer over the Internet and by TLS: give "
                "'balancer.is_public: true' and 'balancer.certificate', or enter by a tunnel"
            )
