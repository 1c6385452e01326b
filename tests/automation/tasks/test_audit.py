"""The audit trail is verified by itself, and somebody is told."""

from sqlalchemy import select, text

from api.alerts.models import Alert, AlertKind
from automation.services import WorkerServices
from automation.tasks.audit import verify_audit
from tests.fixtures.runner import RunnerRig


def _alerts(rig: RunnerRig) -> list[Alert]:
    query = select(Alert).where(Alert.kind == AlertKind.AUDIT_BROKEN)
    return rig.desk.shop.change(lambda session: list(session.scalars(query)))


def test_a_whole_trail_raises_no_alert(runner_rig: RunnerRig, services: WorkerServices) -> None:
    """An order's whole life is in it."""
    runner_rig.delivered()
    verify_audit(services)
    assert _alerts(runner_rig) == []


def test_a_changed_record_raises_one_alert_however_often_it_is_found(
    runner_rig: RunnerRig, services: WorkerServices
) -> None:
    """Whoever could switch the triggers off is found out all the same."""
    runner_rig.delivered()

    def rewrite(statement: str) -> None:
        with runner_rig.desk.shop.database.engine.begin() as connection:
            connection.execute(text("SET LOCAL ROLE NONE"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(statement))

    rewrite("UPDATE audit_records SET reason = 'nothing happened' WHERE seq = 2")
    verify_audit(services)
    verify_audit(services)
    (alert,) = _alerts(runner_rig)
    assert "the first is 2" in alert.message
    assert alert.resolved_at is None
