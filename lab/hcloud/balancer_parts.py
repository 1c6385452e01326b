"""The services and targets of load balancers, as requests name them and as they are kept."""

from typing import Annotated, Literal

from pydantic import Field

from lab.hcloud.errors import invalid
from lab.hcloud.firewalls import ById, BySelector
from lab.hcloud.kinds import Body
from lab.hcloud.project import Item

Port = Annotated[int, Field(ge=1, le=65_535)]
DEFAULT_PORTS = {"http": (80, 80), "https": (443, 80)}


class CheckHttp(Body):
    """What a health check asks over HTTP."""

    domain: str | None = None
    path: str | None = None
    response: str | None = None
    status_codes: list[str] | None = None
    tls: bool | None = None


class Check(Body):
    """How a target's health is found out; times in seconds."""

    protocol: Literal["tcp", "http", "https"] | None = None
    port: Port | None = None
    interval: Annotated[int, Field(ge=3, le=60)] | None = None
    timeout: Annotated[int, Field(ge=1, le=60)] | None = None
    retries: Annotated[int, Field(ge=1, le=5)] | None = None
    http: CheckHttp | None = None


class Http(Body):
    """What only services over HTTP have."""

    cookie_name: str | None = None
    cookie_lifetime: int | None = None
    certificates: list[int] | None = None
    redirect_http: bool | None = None
    sticky_sessions: bool | None = None
    timeout_idle: int | None = None


class Service(Body):
    """A service, or a change of the one at ``listen_port``."""

    protocol: Literal["tcp", "http", "https"] | None = None
    listen_port: Port | None = None
    destination_port: Port | None = None
    proxyprotocol: bool | None = None
    http: Http | None = None
    health_check: Check | None = None


class TargetIp(Body):
    """An address outside the cloud."""

    ip: str


class Target(Body):
    """Where requests go."""

    type: Literal["server", "label_selector", "ip"]
    server: ById | None = None
    label_selector: BySelector | None = None
    ip: TargetIp | None = None
    use_private_ip: bool = False


HTTP = {
    "cookie_name": "HCLBSTICKY",
    "cookie_lifetime": 300,
    "certificates": [],
    "redirect_http": False,
    "sticky_sessions": False,
    "timeout_idle": 60,
}
CHECK_HTTP = {"domain": "", "path": "/", "response": "", "status_codes": ["2??", "3??"], "tls": False}


def merged(old: Item, wanted: Service) -> Item:
    """A service as it is kept: what is not given stays, or is the API's default.

    Raises:
        ApiError: ``invalid_input`` for a port that is missing, or for HTTPS without a certificate.
    """
    given = wanted.model_dump(exclude_none=True)
    protocol = given.get("protocol") or old.get("protocol") or "tcp"
    listen, destination = DEFAULT_PORTS.get(protocol, (None, None))
    service: Item = {
        "protocol": protocol,
        "listen_port": given.get("listen_port") or old.get("listen_port") or listen,
        "destination_port": given.get("destination_port") or old.get("destination_port") or destination,
        "proxyprotocol": given.get("proxyprotocol", old.get("proxyprotocol", False)),
    }
    for port in ("listen_port", "destination_port"):
        if service[port] is None:
            raise invalid(port, f"is needed for protocol {protocol}")
    if protocol != "tcp":
        service["http"] = {**HTTP, **(old.get("http") or {}), **given.get("http", {})}
        if protocol == "https" and not service["http"]["certificates"]:
            raise invalid("http.certificates", "a service over HTTPS needs a certificate")
    service["health_check"] = _check(service, old.get("health_check") or {}, given.get("health_check", {}))
    return service


def _check(service: Item, old: Item, given: Item) -> Item:
    protocol = given.get("protocol") or old.get("protocol") or ("tcp" if service["protocol"] == "tcp" else "http")
    check = {
        "protocol": protocol,
        "port": service["destination_port"],
        "interval": 15,
        "timeout": 10,
        "retries": 3,
        **{key: value for key, value in (*old.items(), *given.items()) if key not in {"protocol", "http"}},
    }
    if protocol != "tcp":
        check["http"] = {**CHECK_HTTP, **(old.get("http") or {}), **given.get("http", {})}
    if check["timeout"] > check["interval"]:
        raise invalid("health_check.timeout", "must not be longer than the interval")
    return check
