"""What the control plane may do on a node, and why. Least privilege: what is not here is refused by the node itself."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, StringConstraints

from components.specs.network import Frozen
from components.specs.platform.base import Slug

CONTROL_PLANE = "slipway@pve"
"""The user that the control plane's token belongs to. It has no password, so nobody can log in as it."""

GUESTS, TEMPLATE, STORAGE, LOOK, NETWORK, NODE = (
    "SlipwayGuests",
    "SlipwayTemplate",
    "SlipwayStorage",
    "SlipwayLook",
    "SlipwayNetwork",
    "SlipwayNode",
)

ROLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        GUESTS: {
            "VM.Allocate": "create and destroy guests",
            "VM.Audit": "see them: recovery, drift and metering look before they act",
            "VM.Clone": "make one from a template",
            "VM.Config.CDROM": "attach the cloud-init drive",
            "VM.Config.CPU": "what was bought, and resize",
            "VM.Config.Cloudinit": "user, keys and addresses at first boot",
            "VM.Config.Disk": "grow disks",
            "VM.Config.HWType": "the machine's fixed parts: controller, serial port, agent",
            "VM.Config.Memory": "what was bought, and resize",
            "VM.Config.Network": "its interface, and its firewall",
            "VM.Config.Options": "name, tags, start at boot",
            "VM.PowerMgmt": "start, stop, suspend",
        },
        TEMPLATE: {
            "VM.Audit": "find it",
            "VM.Clone": "make a guest of it; it can be neither changed nor destroyed",
        },
        STORAGE: {
            "Datastore.AllocateSpace": "put disks there and take them away",
            "Datastore.Audit": "see what is there, and how much room",
        },
        LOOK: {"Datastore.Audit": "read container templates; nothing can be put there"},
        NETWORK: {"SDN.Use": "put a guest onto a bridge or a private network"},
        NODE: {"Sys.Audit": "see the node's load and tasks"},
    }
)
"""Privileges by role, each with what it is for."""


class Grant(Frozen):
    """A role on a path of a node, and on everything below it."""

    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9./_-]*$")]
    role: str


def control_plane_grants(node: str, storages: Iterable[str], templates: Iterable[int]) -> tuple[Grant, ...]:
    """Return what the control plane is granted on a node.

    Args:
        node: its name.
        storages: those that guests' disks are on.
        templates: VMIDs of the machines that guests are cloned from.
    """
    return (
        Grant(path="/vms", role=GUESTS),
        *(Grant(path=f"/vms/{vmid}", role=TEMPLATE) for vmid in sorted(templates)),
        *(Grant(path=f"/storage/{name}", role=STORAGE) for name in sorted(storages)),
        Grant(path="/storage/local", role=LOOK),
        Grant(path="/sdn/zones", role=NETWORK),
        Grant(path=f"/nodes/{node}", role=NODE),
    )


class NodeAccessSpec(Frozen):
    """The control plane's token for one node.

    Attributes:
        rotation: raise it, and the token is replaced by a new one without a moment in which none holds.
        grants: the token's own, without which it may do nothing even where its user may.
    """

    node: Slug
    endpoint: Annotated[str, Field(pattern=r"^https://")]
    verify_tls: bool = True
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+@(pve|pam)$")] = CONTROL_PLANE
    rotation: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    grants: tuple[Grant, ...] = ()
