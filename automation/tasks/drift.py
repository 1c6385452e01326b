"""Drift's jobs. Operations come first: each of these gives way to work that waits."""

from uuid import UUID

from automation.services import WorkerServices


def scan_drift(services: WorkerServices, *node_ids: str) -> None:
    """Look at the nodes that are due, or at those named now, then have the engine look closer at some suspects."""
    services.drift.run([UUID(node_id) for node_id in node_ids])
    services.examiner.run()


def sweep_orphans(services: WorkerServices) -> None:
    """Look for things of ours without a counterpart, both ways."""
    services.orphans.run()


def remove_orphan(services: WorkerServices, orphan_id: str) -> None:
    """Remove an orphan about which somebody has decided."""
    services.orphans.remove(UUID(orphan_id))
