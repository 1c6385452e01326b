"""Invariants that our own rows must keep, whatever indexes and constraints say: those may be what is broken."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.operations.models import ACTIVE
from automation.invariants.world import Violation

_ENDS_WELL = """
    WITH everything AS (
        SELECT o.id, o.status, w.status AS workload, r.order_id IS NOT NULL AS is_owed, EXISTS (
            SELECT 1 FROM operations p WHERE p.workload_id = w.id AND p.status = ANY(:active)
        ) AS at_work
        FROM orders o JOIN workloads w ON w.order_id = o.id LEFT JOIN refunds r ON r.order_id = o.id
    )
    SELECT id, CASE
        WHEN status = 'paid' THEN 'paid for, and nothing is under way'
        WHEN status = 'refund_due' AND NOT is_owed THEN 'a refund is due that nobody owes'
        WHEN status IN ('refund_due', 'refunded') THEN 'the money goes back, and the workload is still there'
        ELSE 'its workload is ' || workload || ', and nothing is under way' END AS what
    FROM everything
    WHERE workload <> 'needs_attention' AND (
        (status = 'refund_due' AND NOT is_owed)
        OR NOT at_work AND (
            status = 'paid'
            OR (status IN ('refund_due', 'refunded') AND workload <> 'deleted')
            OR workload IN ('queued', 'provisioning', 'updating', 'cancelling')
        )
    )
"""
_LEDGER = """
    SELECT o.id, CASE
        WHEN count(*) FILTER (WHERE l.kind = 'payment') > 1 THEN 'charged more than once'
        WHEN o.status IN ('paid', 'delivered') AND coalesce(sum(l.amount_cents), 0) <> o.price_cents
            THEN 'the ledger says ' || coalesce(sum(l.amount_cents), 0) || ' cents, the price is ' || o.price_cents
        WHEN o.status = 'refunded' AND coalesce(sum(l.amount_cents), 0) <> 0
            THEN 'refunded, and the ledger still holds ' || coalesce(sum(l.amount_cents), 0) || ' cents'
        ELSE 'not paid, and the ledger holds ' || coalesce(sum(l.amount_cents), 0) || ' cents' END AS what
    FROM orders o LEFT JOIN ledger_entries l ON l.order_id = o.id
    GROUP BY o.id
    HAVING count(*) FILTER (WHERE l.kind = 'payment') > 1
        OR (o.status IN ('paid', 'delivered') AND coalesce(sum(l.amount_cents), 0) <> o.price_cents)
        OR (o.status = 'refunded' AND coalesce(sum(l.amount_cents), 0) <> 0)
        OR (o.status IN ('pending_payment', 'expired') AND coalesce(sum(l.amount_cents), 0) <> 0)
"""
_SHARED = """
    SELECT vmid::text AS id, count(*) || ' live workloads have this VMID' AS what
    FROM workloads WHERE status <> 'deleted' GROUP BY vmid HAVING count(*) > 1
    UNION ALL
    SELECT wanted, count(*) || ' live workloads want this address' FROM (
        SELECT w.desired -> 'network' -> f.name ->> f.field AS wanted
        FROM workloads w, (VALUES ('ipv4', 'address'), ('ipv6', 'network')) AS f (name, field)
        WHERE w.status <> 'deleted'
    ) AS addresses WHERE wanted IS NOT NULL GROUP BY wanted HAVING count(*) > 1
    UNION ALL
    SELECT w.desired -> 'network' ->> 'mac', count(*) || ' live workloads want this MAC address'
    FROM workloads w WHERE w.status <> 'deleted' AND w.desired -> 'network' ->> 'mac' IS NOT NULL
    GROUP BY w.desired -> 'network' ->> 'mac' HAVING count(*) > 1
    UNION ALL
    SELECT network::text, count(*) || ' rows hold this address'
    FROM addresses WHERE state = 'held' GROUP BY network HAVING count(*) > 1
    UNION ALL
    SELECT w.id::text, 'it is there and ' || count(a.id) || ' of its 2 addresses are held'
    FROM workloads w LEFT JOIN addresses a ON a.workload_id = w.id AND a.state = 'held'
    WHERE w.status <> 'deleted' GROUP BY w.id HAVING count(a.id) <> 2
    UNION ALL
    SELECT w.id::text, 'it is deleted and an address is held for it'
    FROM workloads w JOIN addresses a ON a.workload_id = w.id AND a.state = 'held' WHERE w.status = 'deleted'
"""
_CAPACITY = """
    SELECT n.name AS id, 'its counters are ' || n.used_cores || '/' || n.used_memory_mib || '/' || n.used_disk_gib
        || ', its allocations ' || coalesce(sum(a.cores), 0) || '/' || coalesce(sum(a.memory_mib), 0)
        || '/' || coalesce(sum(a.disk_gib), 0) || ' (cores/MiB/GiB)' AS what
    FROM nodes n LEFT JOIN allocations a ON a.node_id = n.id AND a.released_at IS NULL
    GROUP BY n.id
    HAVING (n.used_cores, n.used_memory_mib, n.used_disk_gib)
        <> (coalesce(sum(a.cores), 0), coalesce(sum(a.memory_mib), 0), coalesce(sum(a.disk_gib), 0))
        OR n.used_cores > n.total_cores OR n.used_memory_mib > n.total_memory_mib OR n.used_disk_gib > n.total_disk_gib
    UNION ALL
    SELECT w.id::text, CASE WHEN w.status = 'deleted' THEN 'deleted, and capacity is held for it'
        WHEN w.machine_id IS NOT NULL THEN 'it has a machine of its own, and capacity is held for it'
        ELSE 'it is there, and ' || count(a.id) || ' allocations are held for it' END
    FROM workloads w LEFT JOIN allocations a ON a.workload_id = w.id AND a.released_at IS NULL
    GROUP BY w.id HAVING count(a.id) <> CASE WHEN w.status = 'deleted' OR w.machine_id IS NOT NULL THEN 0 ELSE 1 END
"""
_MACHINES = """
    SELECT name AS id, 'it is offered, and nothing proves that it was wiped' AS what
    FROM machines WHERE state = 'available' AND (wiped_at IS NULL OR wiped_at <= written_at)
    UNION ALL
    SELECT name, 'it is offered, and held for a workload'
    FROM machines WHERE state = 'available' AND workload_id IS NOT NULL
    UNION ALL
    SELECT m.name, 'it is ' || m.state || ' for a workload that is deleted'
    FROM machines m JOIN workloads w ON w.id = m.workload_id WHERE w.status = 'deleted' AND m.state <> 'quarantine'
    UNION ALL
    SELECT m.name, 'it is held for a workload that has another place'
    FROM machines m JOIN workloads w ON w.id = m.workload_id WHERE w.machine_id IS DISTINCT FROM m.id
    UNION ALL
    SELECT workload_id::text, count(*) || ' machines are held for it'
    FROM machines WHERE workload_id IS NOT NULL GROUP BY workload_id HAVING count(*) > 1
    UNION ALL
    SELECT machine_id::text, count(*) || ' live workloads have this machine'
    FROM workloads w WHERE machine_id IS NOT NULL AND status <> 'deleted' AND (NOT desired_absent OR EXISTS (
        SELECT 1 FROM machines m WHERE m.workload_id = w.id
    )) GROUP BY machine_id HAVING count(*) > 1
    UNION ALL
    SELECT w.id::text, 'it is ' || w.status || ', and its machine is not held for it'
    FROM workloads w JOIN machines m ON m.id = w.machine_id
    WHERE w.status NOT IN ('deleted', 'cancelling', 'needs_attention') AND m.workload_id IS DISTINCT FROM w.id
    UNION ALL
    SELECT w.id::text, 'it is ' || w.status || ', and its machine ' || m.state
    FROM workloads w JOIN machines m ON m.id = w.machine_id
    WHERE w.status IN ('running', 'stopped') AND m.state NOT IN ('active', 'rescue', 'quarantine') AND NOT EXISTS (
        SELECT 1 FROM operations p WHERE p.workload_id = w.id AND p.status = ANY(:active)
    )
"""
_ONE_ENGINE = """
    SELECT workload_id AS id, count(*) || ' operations are active at once' AS what
    FROM operations WHERE status = ANY(:active) GROUP BY workload_id HAVING count(*) > 1
"""
_ENDS = """
    SELECT id, kind || ' is still ' || status || ', past its deadline' AS what
    FROM operations
    WHERE status = ANY(:active) AND deadline_at < now() - make_interval(secs => :margin_seconds)
    UNION ALL
    SELECT id, kind || ' has ended as ' || status || ' and holds a lease'
    FROM operations WHERE status <> ALL(:active) AND lease_until IS NOT NULL
"""
_RECORDED = """
    SELECT o.id::text AS id, 'no record says who asked for this operation' AS what
    FROM operations o WHERE NOT EXISTS (
        SELECT 1 FROM audit_records a
        WHERE a.subject_type = 'operation' AND a.subject_id = o.id::text AND a.action = 'operation.schedule'
    )
    UNION ALL
    SELECT o.id::text, 'no record says how this operation ended'
    FROM operations o WHERE o.finished_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM audit_records a
        WHERE a.subject_type = 'operation' AND a.subject_id = o.id::text AND a.action = 'operation.end'
    )
    UNION ALL
    SELECT w.id::text, 'its status has changed ' || c.number || ' times, ' || r.number || ' are on record'
    FROM workloads w
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM status_changes s WHERE s.workload_id = w.id) c
    CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM audit_records a
        WHERE a.subject_type = 'workload' AND a.subject_id = w.id::text AND a.action = 'workload.status'
    ) r
    WHERE c.number <> r.number
"""


def paid_ends_well(session: Session) -> Iterator[Violation]:
    """I1: a paid order is delivered, refunded with nothing left, or visibly pending."""
    return _found(session, "I1", _ENDS_WELL)


def ledger_adds_up(session: Session) -> Iterator[Violation]:
    """I4: each order was charged once, its price, and a refunded one holds nothing."""
    return _found(session, "I4", _LEDGER)


def nothing_is_shared(session: Session) -> Iterator[Violation]:
    """I5: no address, VMID or MAC in two live rows; what is there holds its own."""
    return _found(session, "I5", _SHARED)


def capacity_adds_up(session: Session) -> Iterator[Violation]:
    """I6: used capacity is the sum of the live allocations and fits; what is there has one, what is gone none."""
    return _found(session, "I6", _CAPACITY)


def machines_are_whose_they_are(session: Session) -> Iterator[Violation]:
    """I14: a live workload of bare metal alone has its machine; none is offered unwiped, or held for what is gone."""
    return _found(session, "I14", _MACHINES)


def one_operation_at_a_time(session: Session) -> Iterator[Violation]:
    """I7: a workload has at most one active operation."""
    return _found(session, "I7", _ONE_ENGINE)


def work_ends(session: Session, margin_seconds: float) -> Iterator[Violation]:
    """I12: no operation is active past its deadline and the sweep's margin; none that has ended holds a lease."""
    return _found(session, "I12", _ENDS, margin_seconds=margin_seconds)


def everything_is_on_record(session: Session) -> Iterator[Violation]:
    """I13: each operation's beginning and end, and each change of a workload's status, has an audit record."""
    return _found(session, "I13", _RECORDED)


def _found(session: Session, invariant: str, query: str, **values: Any) -> Iterator[Violation]:
    parameters = {"active": [status.value for status in ACTIVE], **values}
    for row in session.execute(text(query), parameters):
        yield Violation(invariant, str(row.id), str(row.what))
