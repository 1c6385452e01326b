"""Users, their API tokens, and what each may do where. Plain data, no I/O."""

import hmac
import re
import secrets
import uuid
from typing import Any

from lab.pbs.errors import ApiError, wrong_parameter

Item = dict[str, Any]

ROLES = {
    "Admin": {"Datastore.Audit", "Datastore.Backup", "Datastore.Modify", "Sys.Audit", "Sys.Modify"},
    "Audit": {"Datastore.Audit", "Sys.Audit"},
    "DatastoreAdmin": {"Datastore.Audit", "Datastore.Backup", "Datastore.Modify"},
    "DatastoreAudit": {"Datastore.Audit"},
    "DatastoreBackup": {"Datastore.Backup"},
    "DatastorePowerUser": {"Datastore.Backup", "Datastore.Prune"},
    "DatastoreReader": {"Datastore.Audit", "Datastore.Read"},
    "NoAccess": set[str](),
}
"""Privileges by role, as far as the lab asks for them."""

ROOT = "root@pam"
_USER = re.compile(r"[^\s:/@!]+@[A-Za-z][A-Za-z0-9._-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class Access:
    """Who there is. ``root@pam`` may do everything and logs in with a password."""

    def __init__(self, password: str) -> None:
        self._password = password
        self.users: dict[str, Item] = {ROOT: {"userid": ROOT, "enable": True}}
        self.tokens: dict[str, Item] = {}
        self.secrets: dict[str, str] = {}
        self.rules: list[Item] = []
        self._tickets: dict[str, str] = {}

    def log_in(self, userid: str, password: str) -> Item:
        """A ticket for the right password.

        Raises:
            ApiError: 401 for anything else, after which the real server waits some seconds.
        """
        if userid != ROOT or not hmac.compare_digest(password.encode(), self._password.encode()):
            raise ApiError("permission check failed.", 401)
        ticket = f"PBS:{userid}:{secrets.token_hex(16)}"
        self._tickets[ticket] = secrets.token_hex(16)
        return {"username": userid, "ticket": ticket, "CSRFPreventionToken": self._tickets[ticket]}

    def by_ticket(self, ticket: str, csrf: str, *, is_write: bool) -> str:
        """Whose ticket it is; a write needs its CSRF token too."""
        known = self._tickets.get(ticket)
        if known is None or (is_write and not hmac.compare_digest(csrf.encode(), known.encode())):
            raise ApiError("authentication failed - invalid ticket", 401)
        return ticket.split(":")[1]

    def by_token(self, header: str) -> str:
        """Whose token it is: ``PBSAPIToken=user@realm!name:secret``."""
        token_id, _, secret = header.removeprefix("PBSAPIToken=").rpartition(":")
        if not hmac.compare_digest(self.secrets.get(token_id, "-").encode(), secret.encode()):
            raise ApiError("authentication failed - invalid token", 401)
        return token_id

    def may(self, auth_id: str, path: str, privilege: str) -> bool:
        """Whether somebody has a privilege on a path. A token has no more than its user has."""
        if auth_id == ROOT:
            return True
        owner, is_token, _ = auth_id.partition("!")
        return self._has(auth_id, path, privilege) and (not is_token or self.may(owner, path, privilege))

    def _has(self, auth_id: str, path: str, privilege: str) -> bool:
        for rule in self.rules:
            is_here = rule["path"] == path
            is_above = rule["propagate"] and (path + "/").startswith(rule["path"].rstrip("/") + "/")
            if rule["ugid"] == auth_id and (is_here or is_above) and privilege in ROLES[rule["roleid"]]:
                return True
        return False

    def add_user(self, given: Item) -> None:
        """Make a user."""
        userid = str(given.get("userid", ""))
        if not _USER.fullmatch(userid):
            raise wrong_parameter("userid", "value does not match the regex pattern")
        if userid in self.users:
            raise wrong_parameter("userid", f"user '{userid}' already exists.")
        self.users[userid] = {"enable": True, **given}

    def remove_user(self, userid: str) -> None:
        """Remove a user with its tokens and permissions."""
        self.user(userid)
        del self.users[userid]
        for token_id in [name for name in self.tokens if name.startswith(f"{userid}!")]:
            self._drop(token_id)
        self.rules = [rule for rule in self.rules if rule["ugid"] != userid]

    def user(self, userid: str) -> Item:
        """One user."""
        if userid not in self.users:
            raise ApiError(f"no such user '{userid}'", 404)
        return self.users[userid]

    def add_token(self, userid: str, name: str, given: Item) -> Item:
        """Make a token; its secret is told once."""
        self.user(userid)
        token_id = f"{userid}!{name}"
        if not _TOKEN.fullmatch(name):
            raise wrong_parameter("token-name", "value does not match the regex pattern")
        if token_id in self.tokens:
            raise wrong_parameter("token-name", f"token '{name}' for user '{userid}' already exists.")
        self.secrets[token_id] = str(uuid.uuid4())
        self.tokens[token_id] = {"tokenid": token_id, "token-name": name, "enable": True, **given}
        return {"tokenid": token_id, "value": self.secrets[token_id]}

    def tokens_of(self, userid: str) -> list[Item]:
        """The tokens of one user."""
        self.user(userid)
        return [item for name, item in sorted(self.tokens.items()) if name.startswith(f"{userid}!")]

    def remove_token(self, userid: str, name: str) -> None:
        """Remove a token; its permissions go too."""
        if f"{userid}!{name}" not in self.tokens:
            raise ApiError(f"token '{name}' of user '{userid}' does not exist.", 404)
        self._drop(f"{userid}!{name}")

    def _drop(self, token_id: str) -> None:
        del self.tokens[token_id], self.secrets[token_id]
        self.rules = [rule for rule in self.rules if rule["ugid"] != token_id]

    def permit(self, given: Item) -> None:
        """Give or take a role on a path."""
        for name in ("path", "role", "auth-id"):
            if name not in given:
                raise wrong_parameter(name, "parameter is missing and it is not optional.")
        if given["role"] not in ROLES:
            raise wrong_parameter("role", f"invalid role '{given['role']}'")
        who, takes = str(given["auth-id"]), bool(given.get("delete", False))
        if not takes and who not in self.users and who not in self.tokens:
            raise ApiError("no such API token." if "!" in who else "no such user.")
        rule = {"path": given["path"], "roleid": given["role"], "ugid": who, "ugid_type": "user"}
        self.rules = [item for item in self.rules if {key: item[key] for key in rule} != rule]
        if not takes:
            self.rules.append({**rule, "propagate": bool(given.get("propagate", True))})

    def remembered(self) -> Item:
        """Everything but tickets."""
        return {name: getattr(self, name) for name in ("users", "tokens", "secrets", "rules")}

    def remember(self, state: Item) -> None:
        """Have again what an earlier run had."""
        for name, value in state.items():
            setattr(self, name, value)
