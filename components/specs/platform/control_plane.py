"""The control plane stack's configuration: the servers that run Slipway itself."""

import ipaddress
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.cloud_server import CloudServerSpec, InsideSpec
from components.specs.platform.problems import Place, Problem, refuse, repeated

MOST_IN_A_GROUP = 10
"""Servers that Hetzner keeps apart from each other in one placement group."""
_SECRET = re.compile(r"(KEY|KEYS|SECRET|SECRETS|TOKEN|PASSWORD|DATABASE_URL|REDIS_URL)$")

Servers = Annotated[tuple[CloudServerSpec, ...], Field(min_length=1, max_length=MOST_IN_A_GROUP)]


class Role(StrEnum):
    """What a server is for."""

    API = "api"
    WORKER = "worker"
    POSTGRES = "postgres"
    REDIS = "redis"


class ReleaseSpec(Frozen):
    """Which Slipway the servers install at their first boot: a revision of a repository that needs no login."""

    repository: Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._/-]+$")]
    revision: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")]


class ArchiveSpec(Frozen):
    """Where pgBackRest keeps backups and the write-ahead log: an S3 bucket, best of another provider.

    Attributes:
        full_backups: so many full backups are kept; a point in time before the oldest cannot be had again.
    """

    endpoint: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")]
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    full_backups: Annotated[int, Field(ge=2, le=52)] = 4


class ControlInsideSpec(InsideSpec):
    """What is around the control plane's servers. ``load_balancer``: whose word on a caller's address the API takes."""

    load_balancer: ipaddress.IPv4Address


class ControlPlaneSpec(PlatformSpec):
    """What the control plane stack is configured with.

    Attributes:
        subnet: of the network stack, in which all servers are.
        firewall: of the network stack, before servers that have a public address; Hetzner takes none for others.
        api: the first of them brings the database's schema up to date.
        workers: the first of them runs the timetable, too.
        postgres: the primary, then its standbys.
        settings: environment variables of API and workers that are no secrets.
        worker_processes: operations that one worker server runs at once.
    """

    subnet: Slug = "control"
    firewall: Slug | None = None
    inside: ControlInsideSpec
    release: ReleaseSpec
    archive: ArchiveSpec
    api: Servers
    workers: Servers
    postgres: Annotated[tuple[CloudServerSpec, ...], Field(min_length=2, max_length=MOST_IN_A_GROUP)]
    redis: CloudServerSpec
    settings: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], Annotated[str, Field(pattern=r"^[^\n]*$")]] = (
        Field(default_factory=dict)
    )
    worker_processes: Annotated[int, Field(ge=1, le=64)] = 2

    def servers(self) -> Iterator[tuple[Place, Role, CloudServerSpec]]:
        """Every server, with its place in the configuration and its role."""
        for field, role in (("api", Role.API), ("workers", Role.WORKER), ("postgres", Role.POSTGRES)):
            for index, server in enumerate(getattr(self, field)):
                yield (field, index), role, server
        yield ("redis",), Role.REDIS, self.redis

    @model_validator(mode="after")
    def _plan(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        yield from repeated((((*place, "name"), server.name) for place, _, server in self.servers()), "server")
        owners: dict[ipaddress.IPv4Address, str] = {self.inside.gateway: "gateway"}
        owners.setdefault(self.inside.load_balancer, "load balancer")
        for place, _, server in self.servers():
            address = server.private_address
            owner = owners.setdefault(address, server.name)
            if owner != server.name:
                yield Problem((*place, "private_address"), f"{address} is the address of '{owner}': give it another")
            if address not in self.inside.network:
                yield Problem((*place, "private_address"), f"{address} is outside {self.inside.network}")
        if self.inside.gateway != self.inside.network[1]:
            yield Problem(("inside", "gateway"), f"Hetzner's is the network's first address, {self.inside.network[1]}")
        for name in self.settings:
            if _SECRET.search(name):
                text = f"{name} is a secret: it comes onto the server later, see docs/deploy.md"
                yield Problem(("settings", name), text)
