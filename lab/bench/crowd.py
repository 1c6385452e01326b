"""A crowd of made-up workloads: one real one's rows, copied under other names into both databases.

The copies live on made-up nodes that sell nothing, so that no order and no operation has to do with them; what they
cost is what their number costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Table, Uuid, text

from api.db.base import Base
from api.db.session import Database

_PER_NODE = 50
_OF_ORDER: Mapping[str, str] = MappingProxyType(
    {
        "users": "t.id = (SELECT owner_id FROM orders WHERE id = :order_id)",
        "orders": "t.id = :order_id",
        "checkouts": "t.order_id = :order_id",
        "ledger_entries": "t.order_id = :order_id",
        "idempotency_keys": "t.order_id = :order_id",
        "stripe_events": "t.payload -> 'data' -> 'object' ->> 'client_reference_id' = CAST(:order_id AS text)",
        "workloads": "t.order_id = :order_id",
        "status_changes": "t.workload_id = :workload_id",
        "operations": "t.workload_id = :workload_id",
        "operation_events": "t.operation_id IN (SELECT id FROM operations WHERE workload_id = :workload_id)",
        "plans": "t.workload_id = :workload_id",
        "plan_steps": "t.plan_id IN (SELECT id FROM plans WHERE workload_id = :workload_id)",
        "allocations": "t.workload_id = :workload_id",
        "addresses": "t.workload_id = :workload_id",
        "dns_labels": "t.workload_id = :workload_id",
        "guests": "t.workload_id = :workload_id",
    }
)
"""Which rows of each table belong to the order that is copied."""
_SAME_OWNER = {f"operations.{name}": f"t.{name}" for name in ("workload_id", "requested_by", "cancel_requested_by")}
_SHARED = frozenset({"size_id", "template_version_id", "pool_id", "zone_id", "site_id"})
_NODE = f"md5('node/' || n / {_PER_NODE})::uuid"
_WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "users.email": "n || '@crowd.example'",
        "checkouts.session_id": "t.session_id || n",
        "ledger_entries.provider_reference": "t.provider_reference || n",
        "stripe_events.id": "t.id || '-' || n",
        "stripe_events.payload": "replace(t.payload::text, CAST(:order_id AS text), 'crowd-' || n)::jsonb",
        "workloads.stack": "'crowd-' || n",
        "workloads.vmid": "700000000 + n",
        "workloads.node_id": _NODE,
        "allocations.node_id": _NODE,
        "guests.node_id": _NODE,
        "guests.vmid": "700000000 + n",
        "dns_labels.label": "'crowd-' || n",
        "addresses.network": "CASE t.family WHEN 4 THEN set_masklen('10.0.0.0'::inet + n, 32)::cidr"
        " ELSE format('fd00:%s:%s::/64', to_hex(n / 65536), to_hex(n % 65536))::cidr END",
    }
)
"""What is unique or points elsewhere, by column; every other id becomes one of its copy's own."""
_NODES = f"""
    INSERT INTO nodes (id, name, site_id, node_class, state, endpoint, api_token_encrypted, verify_tls, storage, bridge,
        total_cores, total_memory_mib, total_disk_gib, used_cores, used_memory_mib, used_disk_gib)
    SELECT md5('node/' || k)::uuid, 'crowd-' || k, site_id, node_class, 'draining', endpoint, api_token_encrypted,
        verify_tls, storage, bridge, 100000, 100000000, 1000000, 0, 0, 0
    FROM nodes, generate_series(:first / {_PER_NODE}, :last / {_PER_NODE}) AS k
    WHERE nodes.id = (SELECT node_id FROM workloads WHERE id = :workload_id)
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - numbers and names of our own
_USED = """
    UPDATE nodes SET used_cores = sums.cores, used_memory_mib = sums.memory, used_disk_gib = sums.disk
    FROM (SELECT node_id, sum(cores) AS cores, sum(memory_mib) AS memory, sum(disk_gib) AS disk
          FROM allocations WHERE released_at IS NULL GROUP BY node_id) AS sums
    WHERE sums.node_id = nodes.id AND nodes.name LIKE 'crowd-%'
"""


@dataclass(frozen=True, slots=True)
class Model:
    """The order that is copied."""

    order_id: UUID
    workload_id: UUID
    stack: str


class Crowd:
    """Grows the crowd. Blocks for minutes with thousands."""

    def __init__(self, database: Database, state_url: str, model: Model) -> None:
        """Copy ``model`` in the application's database and in the state database behind ``state_url``."""
        self._database = database
        self._state_url = state_url
        self._model = model
        self._size = 0

    def grow_to(self, size: int) -> None:
        """Copy until there are ``size`` made-up workloads."""
        if size <= self._size:
            return
        values = {"first": self._size + 1, "last": size}
        with self._database.engine.begin() as connection:
            # As a replica's session: neither foreign keys nor the guards of append-only tables stand in the way.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            model = {**values, "order_id": self._model.order_id, "workload_id": self._model.workload_id}
            connection.execute(text(_NODES), {**values, "workload_id": self._model.workload_id})
            for name, condition in _OF_ORDER.items():
                _copy(connection, Base.metadata.tables[name], condition, model)
            connection.execute(text(_USED))
        self._copy_state(values["first"], values["last"])
        self._analyse()
        self._size = size

    def grow_past_of(self, workload_id: UUID, stack: str, operations: int) -> None:
        """Give one workload's newest operation so many copies, and its stack as much history."""
        condition = "t.id = (SELECT id FROM operations WHERE workload_id = :workload_id ORDER BY id LIMIT 1)"
        values = {"first": 1, "last": operations, "workload_id": workload_id}
        # Ids of operations grow with time, and the newest one's matters: these must lie before all others.
        written = {"operations.id": "('00000000' || substr(md5(t.id::text || 'past' || n), 9))::uuid", **_SAME_OWNER}
        with self._database.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            _copy(connection, Base.metadata.tables["operations"], condition, values, written)
        with psycopg.connect(self._state_url) as state:
            columns = _other_columns(state)
            state.execute(
                f"""INSERT INTO pulumi_state (key, {columns})
                    SELECT regexp_replace(key, '-([0-9]+)\\.', '-' || (1000000000000000000 + n) || '.'), {columns}
                    FROM pulumi_state, generate_series(1, %(n)s) AS n
                    WHERE key LIKE %(history)s OR key LIKE %(backup)s
                    ON CONFLICT DO NOTHING""",  # noqa: S608 - column names of pulumi's own table
                {"n": operations, "history": f"%/history/%/{stack}/%", "backup": f"%/backups/%/{stack}/%"},
            )
        self._analyse()

    def _copy_state(self, first: int, last: int) -> None:
        with psycopg.connect(self._state_url) as state:
            columns = _other_columns(state)
            state.execute(
                f"""INSERT INTO pulumi_state (key, {columns})
                    SELECT replace(key, %(stack)s, 'crowd-' || n), {columns}
                    FROM pulumi_state, generate_series(%(first)s::int, %(last)s::int) AS n
                    WHERE key LIKE %(like)s ON CONFLICT DO NOTHING""",  # noqa: S608 - see above
                {"stack": self._model.stack, "like": f"%{self._model.stack}%", "first": first, "last": last},
            )

    def _analyse(self) -> None:
        """Let the planner know: autovacuum would, a minute later."""
        for url in (self._state_url, self._database.engine.url.render_as_string(hide_password=False)):
            with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as connection:
                connection.execute("ANALYZE")


def _copy(
    connection: Connection,
    table: Table,
    condition: str,
    values: Mapping[str, object],
    written: Mapping[str, str] = _WRITTEN,
) -> None:
    """Copy rows, once for each number from ``first`` to ``last``; serial ids are given anew."""
    columns = [column for column in table.columns if not (column.name == "id" and column.autoincrement is True)]
    columns = [column for column in columns if f"{table.name}.{column.name}" != "operation_events.id"]
    names = ", ".join(column.name for column in columns)
    made = ", ".join(
        written.get(f"{table.name}.{column.name}") or _copied(column.name, is_id=isinstance(column.type, Uuid))
        for column in columns
    )
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({names}) SELECT {made} FROM {table.name} t, "  # noqa: S608 - our own names
            f"generate_series(CAST(:first AS int), CAST(:last AS int)) AS n WHERE {condition}"
        ),
        dict(values),
    )


def _copied(column: str, *, is_id: bool) -> str:
    return f"md5(t.{column}::text || '/' || n)::uuid" if is_id and column not in _SHARED else f"t.{column}"


def _other_columns(state: "psycopg.Connection[tuple[object, ...]]") -> str:
    rows = state.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'pulumi_state' AND column_name NOT IN ('key', 'id')"
    ).fetchall()
    return ", ".join(str(row[0]) for row in rows)
