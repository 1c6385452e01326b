"""A node's storages."""

import pulumi
from pulumi_proxmoxve import storage

from components.platform.node_things import NodeThings
from components.specs.platform.node_storage import DirectoryStorage, StorageSpec, ThinStorage


def declare_storage(name: str, spec: StorageSpec, there: NodeThings, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Declare one storage. What is on it stays when it is removed: Proxmox VE only forgets where it is."""
    taken = there.take_over("storage", spec.name, _listed(spec), opts)
    shared = {"resource_id": spec.name, "contents": list(spec.content), "opts": taken}
    made: pulumi.Resource
    if isinstance(spec, DirectoryStorage):
        made = storage.Directory(name, path=spec.path, **shared)
    elif isinstance(spec, ThinStorage):
        made = storage.Lvmthin(name, volume_group=spec.volume_group, thin_pool=spec.thin_pool, **shared)
    else:
        made = storage.Zfspool(name, zfs_pool=spec.pool, thin_provision=spec.is_thin, **shared)
    return made


def _listed(spec: StorageSpec) -> dict[str, object]:
    """As Proxmox VE lists such a storage."""
    shared = {"type": spec.kind, "content": frozenset(spec.content)}
    if isinstance(spec, DirectoryStorage):
        return {**shared, "path": spec.path}
    if isinstance(spec, ThinStorage):
        return {**shared, "vgname": spec.volume_group, "thinpool": spec.thin_pool}
    return {**shared, "pool": spec.pool}
