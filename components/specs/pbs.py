"""Things of a Proxmox Backup Server."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import Slug
from components.specs.workload import StorageName

DatastoreName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$")]
"""A datastore's name; Proxmox Backup Server wants three characters at least."""

SectionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$")]

NamespaceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$")]
"""A namespace directly below the root."""

Setting = str | int | bool

_CALENDAR = re.compile(r"[A-Za-z0-9 ,.:/*~-]{1,64}")


def check_calendar(value: str) -> str:
    """Refuse what cannot be a calendar event of Proxmox' kind, such as ``daily`` or ``mon..fri 02:30``.

    Raises:
        ValueError: says what is allowed.
    """
    if not _CALENDAR.fullmatch(value):
        raise ValueError("use a calendar event, such as 'daily', '02:30' or 'sat 18:15'")
    return value


class PbsSectionSpec(Frozen):
    """A section of one of the server's configuration files, with the settings by the server's own names."""

    kind: Literal["datastore", "prune", "verify"]
    name: SectionName
    settings: dict[str, Setting]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"datastore": ("path",), "prune": ("store", "schedule"), "verify": ("store", "schedule")}[self.kind]
        missing = [name for name in needed if name not in self.settings]
        if missing:
            raise ValueError(f"a {self.kind} section needs the setting '{missing[0]}'")
        return self


class PbsNamespaceSpec(Frozen):
    """A namespace of a datastore."""

    datastore: DatastoreName
    name: NamespaceName


class BackupTargetSpec(Frozen):
    """A node's way to its namespace: a token of its own, and the storage on the node that uses it.

    Attributes:
        node: the node's name; also the token's.
        node_endpoint: of its Proxmox VE.
        verify_tls: whether its certificate is verified.
        server: the backup server as the node reaches it.
        fingerprint: of the backup server's certificate, SHA-256 with colons.
        storage: what the storage is called on the node.
        rotation: a higher number makes a new token.
    """

    node: Slug
    node_endpoint: Annotated[str, Field(pattern=r"^https://")]
    verify_tls: bool = True
    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 8007
    fingerprint: Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){31}[0-9a-f]{2}$")]
    datastore: DatastoreName
    namespace: NamespaceName
    storage: StorageName = "pbs"
    rotation: Annotated[int, Field(ge=1)] = 1
