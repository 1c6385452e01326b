"""SSH keys of one account."""

import base64
import hashlib
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, record
from api.auth.errors import NameTaken, TooMany
from api.auth.models import SshKey
from api.db.constraints import violated_constraint
from api.errors import NotFound

MAX_KEYS = 100
_CONFLICTS = {
    "uq_ssh_keys_user_id_name": "this account has a key of this 'name': choose another",
    "uq_ssh_keys_fingerprint": "this account has this very 'public_key' already",
}


def fingerprint_of(public_key: str) -> str:
    """Return the fingerprint of a validated key, as ``ssh-keygen -l`` prints it."""
    blob = base64.b64decode(public_key.split(" ")[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode()


class SshKeys:
    """The keys of the account ``owner_id``; no others are in its reach."""

    def __init__(self, session: Session, owner_id: UUID) -> None:
        self._session = session
        self._owner_id = owner_id

    def all(self) -> Select[SshKey]:
        """Select all keys."""
        return select(SshKey).where(SshKey.user_id == self._owner_id)

    def add(self, name: str, public_key: str) -> SshKey:
        """Add a key.

        Args:
            name: for people; unique in the account.
            public_key: validated as ``components.specs.SshPublicKey``.

        Raises:
            NameTaken: if the account has the name or the key already.
            TooMany: if the account has as many keys as it may.
        """
        count = self._session.scalar(select(func.count()).select_from(self.all().subquery())) or 0
        if count >= MAX_KEYS:
            raise TooMany(f"an account has at most {MAX_KEYS} SSH keys: delete one first")
        key = SshKey(user_id=self._owner_id, name=name, public_key=public_key, fingerprint=fingerprint_of(public_key))
        try:
            with self._session.begin_nested():
                self._session.add(key)
        except IntegrityError as error:
            conflict = _CONFLICTS.get(violated_constraint(error) or "")
            if conflict is None:
                raise
            raise NameTaken(conflict) from None
        self._session.refresh(key)
        self._record("ssh_key.add", key, "an SSH key was added")
        return key

    def delete(self, key_id: UUID) -> None:
        """Delete a key; workloads that were made with it keep it.

        Raises:
            NotFound: if the account has no such key.
        """
        key = self._session.scalar(self.all().where(SshKey.id == key_id))
        if key is None:
            raise NotFound("this account has no such SSH key")
        self._session.delete(key)
        self._record("ssh_key.delete", key, "an SSH key was deleted")

    def _record(self, action: str, key: SshKey, reason: str) -> None:
        entry = AuditEntry(
            action=action,
            actor=Actor.person(self._owner_id),
            subject_type="ssh_key",
            subject_id=key.id,
            reason=reason,
            diff={"name": key.name, "fingerprint": key.fingerprint},
        )
        record(self._session, entry)
