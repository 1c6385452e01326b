"""Registering, logging in, changing the password."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, record
from api.auth.accounts import Accounts, OpenedSession, Sessions
from api.auth.caller import Principal
from api.auth.errors import AccountSuspended, WrongCredentials
from api.auth.models import Role, User
from api.auth.passwords import Passwords
from api.auth.staff import check_customer, check_role
from api.db.session import Database


class AuthService:
    """The use cases around a password.

    They open their own transactions, so that none is held while argon2 computes or waits for its turn. Callers count
    the attempt against the login limits first.
    """

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    def register(self, email: str, password: str) -> User:
        """Add a customer's account.

        Raises:
            EmailTaken: if there is an account with the (normalised) address.
        """
        password_hash = self._passwords.hash(password)
        with self._database.transaction() as transaction:
            account = Accounts(transaction.session).add(email, password_hash)
            _record(transaction.session, account, "account.create", "a customer registered")
            return account

    def log_in(
        self,
        email: str,
        password: str,
        previous_token: str | None,
        needed: Role = Role.CUSTOMER,
        *,
        customers_only: bool = False,
    ) -> OpenedSession:
        """Open a session.

        It always has a new token, and the session that the browser had before ends: nobody can plant one.

        Raises:
            WrongCredentials: after the same work, whether or not there is such an account.
            AccountSuspended: if the password is right but the account is suspended.
            RoleRequired: if the password is right but the account's role does not reach as far as ``needed``, or is
                one of staff's where only customers log in.
        """
        account = self._verified(email, password)
        if account.suspended_at is not None:
            raise AccountSuspended("this account is suspended: contact support")
        check_role(account.role, needed)
        if customers_only:
            check_customer(account.role)
        fresh_hash = self._passwords.hash(password) if self._passwords.is_outdated(account.password_hash) else None
        with self._database.transaction() as transaction:
            locked = Accounts(transaction.session).lock_unchanged(account)
            if locked is None:
                raise WrongCredentials("the password was changed just now: log in with the new one")
            if fresh_hash is not None:
                locked.password_hash = fresh_hash
            sessions = Sessions(transaction.session)
            if previous_token is not None:
                sessions.close_by_token(previous_token)
            return sessions.open(locked)

    def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Set a new password and end all other sessions.

        Raises:
            WrongCredentials: if ``current`` is not the password.
        """
        account = self._verified(principal.email, current)
        password_hash = self._passwords.hash(new)
        with self._database.transaction() as transaction:
            locked = Accounts(transaction.session).lock_unchanged(account)
            if locked is None:
                raise WrongCredentials("the password was changed just now: start again with the new one")
            locked.password_hash = password_hash
            _record(transaction.session, locked, "account.password", "the password was changed by its owner")
            Sessions(transaction.session).close_others(account.id, kept_id=principal.credential_id)

    def _verified(self, email: str, password: str) -> User:
        with self._database.transaction() as transaction:
            account = transaction.session.scalar(select(User).where(User.email == email))
        if not self._passwords.verify(account.password_hash if account else None, password) or account is None:
            raise WrongCredentials("email and password do not belong to an account: check both")
        return account


def _record(session: Session, account: User, action: str, reason: str) -> None:
    actor = Actor.person(account.id)
    entry = AuditEntry(action=action, actor=actor, subject_type="account", subject_id=account.id, reason=reason)
    record(session, entry)
