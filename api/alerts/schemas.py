"""Alerts as staff see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.alerts.models import AlertKind


class AlertView(BaseModel):
    """Something that a person has to look at; open while ``resolved_at`` is null."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: AlertKind
    subject_type: str
    subject_id: str
    message: str
    sightings: int
    created_at: datetime
    seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    resolved_at: datetime | None
