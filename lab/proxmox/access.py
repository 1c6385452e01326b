"""Users, API tokens, roles and the access control list, where fakepve has only generic answers.

Follows pve-access-control (``PVE/API2/User.pm``, ``Role.pm``, ``ACL.pm``). What is made here opens the API, and what is
not granted is refused: fakepve asks :meth:`Access.allowed` before every call.
"""

import uuid
from typing import Any

from fakepve import PveError, shapes
from fakepve.routing import die, param_error, split_list

from lab.proxmox.installed import Installed
from lab.proxmox.permissions import ADMINISTRATOR, BUILT_IN, ROOT, AccessRules, is_path

USER_FIELDS = ("comment", "email", "enable", "expire", "firstname", "groups", "keys", "lastname")
TOKEN_FIELDS = ("comment", "expire", "privsep")
_USERS, _ONE_USER = "/access/users", "/access/users/{userid}"
_TOKENS, _ONE_TOKEN = "/access/users/{userid}/token", "/access/users/{userid}/token/{tokenid}"
_ROLES, _ONE_ROLE = "/access/roles", "/access/roles/{roleid}"
Values = dict[str, Any]


class Access(Installed):
    """Stateful access control.

    Attributes:
        operator: the full id of the token that the lab itself has on the node: an administrator's.
        operators_secret: what belongs to it.
    """

    rules: AccessRules
    operator: str
    operators_secret: str

    def as_installed(self) -> None:
        """``root@pam`` and the operator, and nobody else."""
        super().as_installed()
        user = self.operator.partition("!")[0]
        self.rules = AccessRules(
            users={name: {"enable": 1, "expire": 0} for name in (ROOT, user)},
            tokens={self.operator: {"expire": 0, "privsep": 0}},
            entries={("/", user, ADMINISTRATOR): True},
        )
        self.apitokens = {self.operator: self.operators_secret}
        for kept in (self.users, self.tickets, self.pools, self.pool_info):
            kept.clear()
        self.acl: Values = {}  # fakepve's own list, never filled: without one it would let everybody do everything

    def remembered(self) -> Values:
        """Users and what they may do, too."""
        access = {"rules": self.rules, "secrets": self.apitokens, "passwords": self.users}
        return {**super().remembered(), "access": access, "pools": (self.pools, self.pool_info)}

    def remember(self, kept: Values) -> None:
        """Have again what an earlier run had; the operator's token stays this run's."""
        super().remember(kept)
        access = kept["access"]
        self.rules, self.users = access["rules"], access["passwords"]
        self.apitokens = {**access["secrets"], self.operator: self.operators_secret}
        self.pools, self.pool_info = kept["pools"]
        self._sync_pools()

    # ---------------------------------------------------------------- what may be done

    def allowed(self, user: str, path: str, priv: str) -> bool:
        """Whether a user or token holds a privilege on a path."""
        return priv in self.rules.privileges(user, [path, *self._pools_around(path)])

    def _pools_around(self, path: str) -> list[str]:
        kind, _, thing = path.lstrip("/").partition("/")
        if kind == "vms" and thing.isdigit():
            return [f"/pool/{name}" for name, members in self.pools.items() if int(thing) in members]
        if kind == "storage" and thing:
            return [f"/pool/{name}" for name, meta in self.pool_info.items() if thing in meta["storage"]]
        return []

    def _check(self, user: str, check: Any, values: Values, declared: Any = None) -> tuple[bool, str]:
        """As ``PVE/RPCEnvironment.pm`` compares the whole token id with the user id, a token is nobody's self."""
        if list(check[:2]) == ["userid-param", "self"]:
            return values.get("userid") == user, ""
        checked: tuple[bool, str] = super()._check(user, check, values, declared)
        return checked

    async def _permissions(self, v: Values, user: str) -> dict[str, dict[str, int]]:
        who = v.get("userid") or user
        paths = [v["path"]] if v.get("path") else ["/", *sorted({path for path, *_ in self.rules.entries} - {"/"})]
        held = {path: sorted(self.rules.privileges(who, [path, *self._pools_around(path)])) for path in paths}
        return {path: dict.fromkeys(privileges, 1) for path, privileges in held.items() if privileges}

    # ---------------------------------------------------------------- users

    def _routes_users(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", _USERS, self._user_list),
            ("POST", _USERS, self._user_create),
            ("GET", _ONE_USER, self._user_read),
            ("PUT", _ONE_USER, self._user_update),
            ("DELETE", _ONE_USER, self._user_delete),
            ("GET", _TOKENS, self._token_list),
            ("GET", _ONE_TOKEN, self._token_read),
            ("POST", _ONE_TOKEN, self._token_create),
            ("PUT", _ONE_TOKEN, self._token_update),
            ("DELETE", _ONE_TOKEN, self._token_delete),
        ]

    def _user(self, userid: str, failed: str = "") -> dict[str, Any]:
        if userid not in self.rules.users:
            raise die(f"{failed}no such user ('{userid}')")
        return self.rules.users[userid]

    async def _user_list(self, v: Values, user: str) -> list[Values]:
        del v
        seen = [name for name in sorted(self.rules.users) if name == user or self._may_audit_users(user)]
        return [{"userid": name, "realm-type": name.rpartition("@")[2], **self.rules.users[name]} for name in seen]

    def _may_audit_users(self, user: str) -> bool:
        return any(self.allowed(user, "/access/groups", priv) for priv in ("User.Modify", "Sys.Audit"))

    async def _user_create(self, v: Values, user: str) -> None:
        del user
        userid = v["userid"]
        if userid in self.rules.users:
            raise die(f"create user failed: user '{userid}' already exists")
        if v.get("groups"):
            raise die(f"create user failed: no such group '{split_list(v['groups'])[0]}'")
        self.rules.users[userid] = {"enable": 1, "expire": 0, **_given(v, USER_FIELDS)}
        if v.get("password"):
            self.users[userid] = v["password"]

    async def _user_read(self, v: Values, user: str) -> Values:
        del user
        settings = self._user(v["userid"])
        tokens = {name.partition("!")[2]: kept for name, kept in self._tokens_of(v["userid"])}
        return {**settings, "groups": [], **({"tokens": tokens} if tokens else {})}

    async def _user_update(self, v: Values, user: str) -> None:
        del user
        self._user(v["userid"], "update user failed: ").update(_given(v, USER_FIELDS))

    async def _user_delete(self, v: Values, user: str) -> None:
        del user
        userid = v["userid"]
        self._user(userid, "delete user failed: ")
        for token, _ in list(self._tokens_of(userid)):
            self._drop_token(token)
        self.rules.forget(userid)
        self.users.pop(userid, None)

    # ---------------------------------------------------------------- tokens

    def _tokens_of(self, userid: str) -> list[tuple[str, dict[str, object]]]:
        return [(name, kept) for name, kept in sorted(self.rules.tokens.items()) if name.startswith(f"{userid}!")]

    def _token(self, v: Values, failed: str = "") -> tuple[str, dict[str, Any]]:
        self._user(v["userid"], failed)
        token = f"{v['userid']}!{v['tokenid']}"
        if token not in self.rules.tokens:
            raise die(f"{failed}no such token '{v['tokenid']}' for user '{v['userid']}'")
        return token, self.rules.tokens[token]

    def _drop_token(self, token: str) -> None:
        self.rules.forget(token)
        self.apitokens.pop(token, None)

    async def _token_list(self, v: Values, user: str) -> list[Values]:
        del user
        self._user(v["userid"])
        return [{"tokenid": name.partition("!")[2], **kept} for name, kept in self._tokens_of(v["userid"])]

    async def _token_read(self, v: Values, user: str) -> Values:
        del user
        return dict(self._token(v)[1])

    async def _token_create(self, v: Values, user: str) -> Values:
        del user
        self._user(v["userid"])
        token = f"{v['userid']}!{v['tokenid']}"
        if token in self.rules.tokens:
            raise param_error(tokenid="Token already exists.")
        kept = {"expire": 0, "privsep": 1, **_given(v, TOKEN_FIELDS)}
        self.rules.tokens[token] = kept
        self.apitokens[token] = str(uuid.uuid4())
        return {"full-tokenid": token, "info": dict(kept), "value": self.apitokens[token]}

    async def _token_update(self, v: Values, user: str) -> Values:
        del user
        token, kept = self._token(v, "updating token info failed: ")
        kept.update(_given(v, TOKEN_FIELDS))
        return dict(self.rules.tokens[token])

    async def _token_delete(self, v: Values, user: str) -> None:
        del user
        self._drop_token(self._token(v, "deleting token failed: ")[0])

    # ---------------------------------------------------------------- roles

    def _routes_roles(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", _ROLES, self._role_list),
            ("POST", _ROLES, self._role_create),
            ("GET", _ONE_ROLE, self._role_read),
            ("PUT", _ONE_ROLE, self._role_update),
            ("DELETE", _ONE_ROLE, self._role_delete),
            ("GET", "/access/acl", self._acl_list),
            ("PUT", "/access/acl", self._acl_update),
        ]

    async def _role_list(self, v: Values, user: str) -> list[Values]:
        del v, user
        return [
            {
                "roleid": name,
                "privs": ",".join(sorted(self.rules.privileges_of(name))),
                "special": int(name in BUILT_IN),
            }
            for name in sorted({*BUILT_IN, *self.rules.roles})
        ]

    async def _role_create(self, v: Values, user: str) -> None:
        del user
        role = v["roleid"]
        if role.lower().startswith("pve"):
            raise param_error(roleid="cannot use role ID starting with the (case-insensitive) 'PVE' namespace")
        if self.rules.knows_role(role):
            raise die(f"create role failed: role '{role}' already exists")
        self.rules.roles[role] = _privileges(v, "create role failed: ")

    async def _role_read(self, v: Values, user: str) -> dict[str, int]:
        del user
        if not self.rules.knows_role(v["roleid"]):
            raise die(f"role '{v['roleid']}' does not exist")
        return dict.fromkeys(sorted(self.rules.privileges_of(v["roleid"])), 1)

    async def _role_update(self, v: Values, user: str) -> None:
        del user
        role = self._own_role(v["roleid"], "modified", "modify role failed: ")
        before = self.rules.roles[role] if v.get("append") else frozenset()
        self.rules.roles[role] = before | _privileges(v, "modify role failed: ")

    async def _role_delete(self, v: Values, user: str) -> None:
        del user
        self.rules.forget_role(self._own_role(v["roleid"], "deleted", "delete role failed: "))

    def _own_role(self, role: str, verb: str, failed: str) -> str:
        if role in BUILT_IN:
            raise die(f"auto-generated role '{role}' cannot be {verb}")
        if role not in self.rules.roles:
            raise die(f"{failed}role '{role}' does not exist")
        return role

    # ---------------------------------------------------------------- access control list

    async def _acl_list(self, v: Values, user: str) -> list[Values]:
        del v
        return [
            {
                "path": path,
                "ugid": who,
                "roleid": role,
                "type": "token" if "!" in who else "user",
                "propagate": int(goes_down),
            }
            for (path, who, role), goes_down in sorted(self.rules.entries.items())
            if self.allowed(user, "/access", "Sys.Audit") or self.allowed(user, path, "Permissions.Modify")
        ]

    async def _acl_update(self, v: Values, user: str) -> None:
        del user
        path = v["path"].rstrip("/") or "/"
        if not is_path(path):
            raise param_error(path=f"invalid ACL path '{v['path']}'")
        users, tokens = split_list(v.get("users")), split_list(v.get("tokens"))
        if not (users or tokens or v.get("groups")):
            missing = "either 'users', 'groups' or 'tokens' is required."
            raise param_error(users=missing, groups=missing, tokens=missing)
        self._check_grant(split_list(v["roles"]), users, tokens, split_list(v.get("groups")))
        for role in split_list(v["roles"]):
            for who in users + tokens:
                if v.get("delete"):
                    self.rules.entries.pop((path, who, role), None)
                else:
                    self.rules.entries[path, who, role] = bool(v.get("propagate", 1))

    def _check_grant(self, roles: list[str], users: list[str], tokens: list[str], groups: list[str]) -> None:
        failed = "ACL update failed: "
        for role in roles:
            if not self.rules.knows_role(role):
                raise die(f"{failed}role '{role}' does not exist")
        for group in groups:
            raise die(f"{failed}group '{group}' does not exist")
        for who in users:
            if who not in self.rules.users:
                raise die(f"{failed}user '{who}' does not exist")
        for who in tokens:
            userid, _, name = who.partition("!")
            self._token({"userid": userid, "tokenid": name}, failed)

    # ---------------------------------------------------------------- things that take their grants along

    async def _pool_delete(self, v: Values, user: str) -> None:
        await super()._pool_delete(v, user)
        self.rules.forget_path(f"/pool/{v['poolid']}")

    async def _sc_delete(self, v: Values, user: str) -> None:
        await super()._sc_delete(v, user)
        self.rules.forget_path(f"/storage/{v['storage']}")


def _given(values: Values, names: tuple[str, ...]) -> Values:
    """What was sent of these settings, without what is empty: Proxmox VE keeps no empty ones."""
    kept = {name: values[name] for name in names if values.get(name) not in {None, ""} and name != "groups"}
    return {name: int(value) if isinstance(value, bool) else value for name, value in kept.items()}


def _privileges(values: Values, failed: str) -> frozenset[str]:
    wanted = split_list(values.get("privs"))
    for name in wanted:
        if name not in shapes.PRIVILEGES:
            raise PveError(500, f"{failed}invalid privilege '{name}'")
    return frozenset(wanted)
