"""What dynamic providers make at the backup server; the engine needs ``PBS_ENDPOINT``, ``_USERNAME``, ``_PASSWORD``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import pulumi
from pulumi.dynamic import Resource

from components.pbs.namespace_provider import PbsNamespaceProvider
from components.pbs.section_provider import PbsSectionProvider
from components.pbs.target_provider import BackupTargetProvider
from components.specs.pbs import Setting


class PbsSection(Resource, module="slipway", name="PbsSection"):
    """A datastore, prune job or verification job with its settings by the server's own names."""

    name: pulumi.Output[str]

    def __init__(
        self,
        label: str,
        kind: str,
        *,
        name: pulumi.Input[str],
        settings: Mapping[str, pulumi.Input[Setting]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(PbsSectionProvider(), label, {"kind": kind, "name": name, "settings": settings}, opts)


class PbsNamespace(Resource, module="slipway", name="PbsNamespace"):
    """A namespace; one that holds backups is never deleted."""

    name: pulumi.Output[str]
    datastore: pulumi.Output[str]

    def __init__(
        self,
        label: str,
        *,
        datastore: pulumi.Input[str],
        name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(PbsNamespaceProvider(), label, {"datastore": datastore, "name": name}, opts)


@dataclass(frozen=True, slots=True)
class TargetArgs:
    """A node and the place that its backups go to; see ``components.specs.pbs.BackupTargetSpec``."""

    node: str
    node_endpoint: pulumi.Input[str]
    verify_tls: pulumi.Input[bool]
    server: str
    fingerprint: str
    datastore: pulumi.Input[str]
    namespace: pulumi.Input[str]
    storage: str
    rotation: int


class BackupTarget(Resource, module="slipway", name="BackupTarget"):
    """A node's token at the backup server and its storage; also needs ``PROXMOX_VE_PASSWORD_<NODE>``.

    Not ``pulumi_proxmoxve.storage.Pbs``: that keeps the token's secret in the stack's state.
    """

    storage: pulumi.Output[str]

    def __init__(self, label: str, args: TargetArgs, *, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = {field.name: getattr(args, field.name) for field in fields(args)}
        super().__init__(BackupTargetProvider(), label, inputs, opts)
