"""What Alertmanager tells: an alert of its that fires is one open alert of ours, until it is said to be resolved."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.orm import Session

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve

_SHOWN = 500
"""Characters of a summary that staff are shown."""

_LONGEST_NAME = 100
"""Characters of an alert's name that become part of its identity, which is indexed."""


def _without_nul(text: str) -> str:
    """PostgreSQL's text cannot hold it."""
    return text.replace("\0", "")


Labels = Annotated[dict[str, Annotated[str, AfterValidator(_without_nul)]], Field(max_length=64)]


class AlertStatus(StrEnum):
    """Whether its expression is still true."""

    FIRING = "firing"
    RESOLVED = "resolved"


class MonitoringAlert(BaseModel):
    """One alert of a notification; other fields of it are not ours to know.

    Attributes:
        fingerprint: Alertmanager's hash of the labels: the alert's identity, for as long as its labels are the same.
    """

    status: AlertStatus
    labels: Labels
    annotations: Labels = Field(default_factory=dict)
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]

    @property
    def subject_id(self) -> str:
        """Its identity, with a name that tells people something."""
        return f"{self.labels.get('alertname', 'alert')[:_LONGEST_NAME]}/{self.fingerprint}"

    @property
    def subject_type(self) -> str:
        """A host where it is about one; else the service as a whole."""
        return "host" if self.labels.get("host") else "service"

    @property
    def message(self) -> str:
        """What staff read.

        It is made of what stays the same while the alert fires: another message takes an acknowledgement back, so a
        measured value has no place in it.
        """
        name, severity = self.labels.get("alertname", "alert"), self.labels.get("severity", "unknown")
        summary = self.annotations.get("summary") or name
        runbook = self.annotations.get("runbook_url", "")
        is_link = urlsplit(runbook).scheme in {"http", "https"}
        return f"{severity}: {summary[:_SHOWN]}" + (f" (runbook: {runbook[:_SHOWN]})" if is_link else "")


class Notification(BaseModel):
    """What Alertmanager posts to a webhook, version 4 (https://prometheus.io/docs/alerting/latest/configuration)."""

    alerts: Annotated[list[MonitoringAlert], Field(max_length=10_000)]


def apply_notification(session: Session, notification: Notification) -> None:
    """Raise what fires and resolve what does not any more; the same notification again changes nothing.

    In the order of their identities, so that two notifications at once wait for each other instead of locking each
    other out.
    """
    for alert in sorted(notification.alerts, key=lambda alert: alert.subject_id):
        if alert.status is AlertStatus.FIRING:
            raise_alert(session, AlertKind.MONITORING, alert.subject_type, alert.subject_id, alert.message)
        else:
            resolve(session, AlertKind.MONITORING, alert.subject_id)
