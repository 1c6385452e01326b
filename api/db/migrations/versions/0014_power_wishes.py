"""What is to be done to a machine's power, in its row: a message that is lost is found."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    verbs = sa.Enum("on", "off", "cycle", name="powerverb", native_enum=False, create_constraint=True, length=40)
    op.add_column("machines", sa.Column("power_verb", verbs, nullable=True))
    op.add_column("machines", sa.Column("power_asked_at", _AT, nullable=True))
    op.add_column("machines", sa.Column("power_taken_at", _AT, nullable=True))
