"""Accounts with SSH keys, written straight into the database."""

from itertools import count
from uuid import UUID

from uuid_utils.compat import uuid7

from api.auth.models import SshKey, User
from api.db.session import Database
from tests.fakes.workload_specs import OTHER_SSH_KEY, SSH_KEY

_NUMBERS = count(1)


def add_customer(database: Database) -> UUID:
    """Register a customer with two SSH keys, named ``laptop`` and ``desktop``, and return their id."""
    user = User(id=uuid7(), email=f"buyer{next(_NUMBERS)}@example.com", password_hash="cannot log in")
    keys = {"laptop": SSH_KEY, "desktop": OTHER_SSH_KEY}
    with database.transaction() as transaction:
        transaction.session.add(user)
        transaction.session.flush()
        for name, key in keys.items():
            transaction.session.add(
                SshKey(id=uuid7(), user_id=user.id, name=name, public_key=key, fingerprint=f"SHA256:{name}")
            )
    return user.id
