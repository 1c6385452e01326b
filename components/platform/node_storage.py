"""A node's storages."""

import pulumi
from pulumi_proxmoxve import storage

from components.specs.platform.node_storage import DirectoryStorage, StorageSpec, ThinStorage


def declare_storage(name: str, spec: StorageSpec, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Declare one storage. What is on it stays when it is removed: Proxmox VE only forgets where it is."""
    shared = {"resource_id": spec.name, "contents": list(spec.content)}
    made: pulumi.Resource
    if isinstance(spec, DirectoryStorage):
        made = storage.Directory(name, path=spec.path, **shared, opts=opts)
    elif isinstance(spec, ThinStorage):
        made = storage.Lvmthin(name, volume_group=spec.volume_group, thin_pool=spec.thin_pool, **shared, opts=opts)
    else:
        made = storage.Zfspool(name, zfs_pool=spec.pool, thin_provision=spec.is_thin, **shared, opts=opts)
    return made
