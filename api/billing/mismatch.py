"""Money that fits no order: a paid order is delivered, refunded or visibly pending, and the ledger says the same."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.operations.models import ACTIVE

_MISMATCH = text("""
    WITH balances AS (
        SELECT order_id, sum(amount_cents) AS cents FROM ledger_entries GROUP BY order_id
    ), expected AS (
        SELECT o.id, o.currency, CASE
            WHEN o.status = 'delivered' THEN o.price_cents
            WHEN o.status = 'paid' AND EXISTS (
                SELECT 1 FROM workloads w WHERE w.order_id = o.id AND (w.status = 'needs_attention' OR EXISTS (
                    SELECT 1 FROM operations p WHERE p.workload_id = w.id AND p.status = ANY(:active)
                ))
            ) THEN o.price_cents
            WHEN o.status = 'refund_due' AND EXISTS (
                SELECT 1 FROM refunds r WHERE r.order_id = o.id AND r.done_at IS NULL
            ) THEN o.price_cents
            ELSE 0 END AS cents
        FROM orders o
    )
    SELECT e.currency, sum(abs(coalesce(b.cents, 0) - e.cents)) AS cents
    FROM expected e LEFT JOIN balances b ON b.order_id = e.id
    GROUP BY e.currency
""")


def mismatch(session: Session) -> Mapping[str, int]:
    """Return by currency how many cents do not fit, too many and too few alike: one order must not hide another.

    It reads all orders and the whole ledger; blocks for the query.
    """
    rows = session.execute(_MISMATCH, {"active": [status.value for status in ACTIVE]})
    return {row.currency: int(row.cents) for row in rows}
