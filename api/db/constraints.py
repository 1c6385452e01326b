"""What a violated constraint tells."""

import psycopg
from sqlalchemy.exc import IntegrityError


def violated_constraint(error: IntegrityError) -> str | None:
    """Return the name of the constraint or unique index that PostgreSQL refused a row for."""
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None
