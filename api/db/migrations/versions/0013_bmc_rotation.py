"""What a BMC's password is to be after its machine's next wipe: kept before the BMC hears of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("machines", sa.Column("bmc_next_password_encrypted", sa.LargeBinary(), nullable=True))
