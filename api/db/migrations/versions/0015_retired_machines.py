"""Machines that are gone from the racks, and remembered."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = (
    *("enroll", "inspect", "clean", "available", "reserved", "deploying"),
    *("active", "rescue", "cleaning", "quarantine", "retired"),
)


def upgrade() -> None:
    name = op.f("ck_machines_machinestate")
    op.drop_constraint(name, "machines")
    op.create_check_constraint(name, "machines", f"state IN ({', '.join(repr(state) for state in _STATES)})")
    op.create_check_constraint(
        op.f("ck_machines_retired_is_nobodys"), "machines", "state <> 'retired' OR workload_id IS NULL"
    )
