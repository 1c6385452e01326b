"""The backup stack: the server, its datastore, and each node's namespace, token, storage and job."""

import os

import pulumi

from components.platform.backup.cloud_init import PORT
from components.platform.backup.datastore import BackupDatastore
from components.platform.backup.node import NodeBackup
from components.platform.backup.resources import TargetArgs
from components.platform.backup.server import BackupServer
from components.platform.cloud_project import CloudProject
from components.platform.cloud_server import Surroundings
from components.platform.node_provider import node_provider
from components.specs.platform import HostReport, PlatformKind
from components.specs.platform.backup import BackupSpec, NodeBackupSpec
from stacks.platform.program import Declared, Estate


class BackupProgram:
    """Needs the outputs of ``network`` and ``nodes``, and the backup server's login in the environment."""

    def __init__(self, spec: BackupSpec, estate: Estate) -> None:
        self._spec, self._estate = spec, estate

    def declare(self) -> Declared:
        """Declare the server first: everything else is configured on it."""
        spec = self._spec
        server = BackupServer("backup", spec, around=self._surroundings())
        after = pulumi.ResourceOptions(depends_on=[server])
        datastore = BackupDatastore("backup", spec, opts=after)
        nodes = [self._node(node, datastore) for node in spec.nodes]
        address = str(spec.server.private_address)
        host = HostReport(name=spec.server.name, role="backup", address=address, exporters={"node": 9100})
        return Declared(
            outputs={
                "backup_server": {
                    "endpoint": f"https://{address}:{PORT}",
                    "datastore": spec.datastore.name,
                    "namespaces": {node.name: node.its_namespace for node in spec.nodes},
                }
            },
            report={"hosts": [host.model_dump(mode="json")]},
            resources=[server, datastore, *nodes],
        )

    def _surroundings(self) -> Surroundings:
        network = PlatformKind.NETWORK
        labels = {**self._estate.labels, "stack": PlatformKind.BACKUP.value, "role": "backup"}
        return Surroundings(
            subnet_id=self._estate.output(network, "subnets")[self._spec.subnet]["id"],
            ssh_keys=self._estate.output(network, "ssh_keys"),
            labels=labels,
            project=CloudProject.of_environment(labels),
        )

    def _node(self, node: NodeBackupSpec, datastore: BackupDatastore) -> NodeBackup:
        known = self._estate.output(PlatformKind.NODES, "nodes")[node.name]
        provider = node_provider(node.name, endpoint=known["endpoint"], verify_tls=known["verify_tls"])
        namespace = datastore.namespaces[node.name]
        target = TargetArgs(
            node=node.name,
            node_endpoint=known["endpoint"],
            verify_tls=known["verify_tls"],
            server=str(self._spec.server.private_address),
            fingerprint=_fingerprint(),
            datastore=namespace.datastore,
            namespace=namespace.name,
            storage=self._spec.storage,
            rotation=node.rotation,
        )
        return NodeBackup(
            f"backup-{node.name}",
            node,
            target=target,
            provider=provider,
            opts=pulumi.ResourceOptions(depends_on=[datastore]),
        )


def _fingerprint() -> str:
    """What nodes know the backup server's certificate by."""
    found = os.environ.get("PBS_FINGERPRINT")
    if not found:
        raise pulumi.RunError(
            "set PBS_FINGERPRINT in the environment: `proxmox-backup-manager cert info` on the backup server shows it"
        )
    return found
