"""A datastore with its namespaces and jobs."""

import pulumi

from components.platform.backup.resources import PbsNamespace, PbsSection
from components.specs.platform.backup import BackupSpec


class BackupDatastore(pulumi.ComponentResource):
    """The datastore, a namespace a node, and the jobs that prune, verify and collect garbage."""

    namespaces: dict[str, PbsNamespace]
    """By node."""

    def __init__(self, name: str, spec: BackupSpec, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:platform:BackupDatastore", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        store = spec.datastore
        settings = {"path": store.path, "gc-schedule": store.gc_schedule}
        datastore = PbsSection(name, "datastore", name=store.name, settings=settings, opts=child)
        self.namespaces = {
            node.name: PbsNamespace(
                f"{name}-{node.name}", datastore=datastore.name, name=node.its_namespace, opts=child
            )
            for node in spec.nodes
        }
        PbsSection(
            f"{name}-prune",
            "prune",
            name=f"{store.name}-prune",
            settings={"store": datastore.name, "schedule": spec.prune.schedule, **spec.prune.kept},
            opts=child,
        )
        PbsSection(
            f"{name}-verify",
            "verify",
            name=f"{store.name}-verify",
            settings={
                "store": datastore.name,
                "schedule": spec.verify.schedule,
                "ignore-verified": True,
                "outdated-after": spec.verify.outdated_after_days,
            },
            opts=child,
        )
        self.register_outputs({})
