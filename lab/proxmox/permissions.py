"""Who may do what: roles, the access control list, and what follows from both.

fakepve knows privileges on paths but neither roles nor users; here are Proxmox VE's own, as plain data and functions
(``PVE/AccessControl.pm``: ``roles``, and ``PVE/RPCEnvironment.pm``: ``permissions``).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fakepve import shapes

ROOT = "root@pam"
ADMINISTRATOR, NO_ACCESS = "Administrator", "NoAccess"
BUILT_IN: Mapping[str, frozenset[str]] = {
    **{name: frozenset(privileges) for name, privileges in shapes.ROLES.items()},
    "PVEDatastoreUser": frozenset({"Datastore.AllocateSpace", "Datastore.Audit"}),
    "PVESDNUser": frozenset({"SDN.Audit", "SDN.Use"}),
    "PVETemplateUser": frozenset({"VM.Audit", "VM.Clone"}),
}
"""Roles that come with Proxmox VE, as far as somebody here uses them; they can be neither changed nor deleted."""

_PATHS = re.compile(
    r"/(access(/groups(/[\w.-]+)?|/realm(/[\w.-]+)?)?|mapping(/[\w.-]+)*|nodes(/[\w.-]+)?|pool(/[\w./-]+)?"
    r"|sdn(/[\w.-]+)*|storage(/[\w.-]+)?|vms(/[1-9][0-9]{2,})?)?"
)


@dataclass
class AccessRules:
    """Users, tokens, roles and the access control list of one node.

    Attributes:
        users: settings by user id, as the API has them.
        tokens: settings by full token id, ``user@realm!name``, without the secret.
        roles: privileges by role, those that were made.
        entries: (path, user or token id, role) to whether it holds below the path too.
    """

    users: dict[str, dict[str, object]] = field(default_factory=dict)
    tokens: dict[str, dict[str, object]] = field(default_factory=dict)
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    entries: dict[tuple[str, str, str], bool] = field(default_factory=dict)

    def privileges_of(self, role: str) -> frozenset[str]:
        """What a role allows; nothing if there is no such role."""
        return BUILT_IN.get(role) or self.roles.get(role) or frozenset()

    def knows_role(self, role: str) -> bool:
        """Whether there is such a role."""
        return role in BUILT_IN or role in self.roles

    def privileges(self, who: str, paths: Iterable[str]) -> frozenset[str]:
        """What a user or a token may do on the first of the paths; the others are pools that the thing is in.

        A token of its own privileges has what both it and its user have.
        """
        if who == ROOT:
            return BUILT_IN[ADMINISTRATOR]
        paths = tuple(paths)
        owner = who.partition("!")[0]
        if who == owner:
            return self._granted(who, paths)
        settings = self.tokens.get(who)
        if settings is None:
            return frozenset()
        of_owner = self.privileges(owner, paths)
        return of_owner & self._granted(who, paths) if settings["privsep"] else of_owner

    def _granted(self, who: str, paths: tuple[str, ...]) -> frozenset[str]:
        first = self._roles(who, paths[0])
        if NO_ACCESS in first:
            return frozenset()
        roles = first.union(*(self._roles(who, path) for path in paths[1:]))
        return frozenset().union(*(self.privileges_of(role) for role in roles - {NO_ACCESS}))

    def _roles(self, who: str, path: str) -> frozenset[str]:
        """Roles on a path: what is said of a deeper path replaces what comes down from above."""
        found: frozenset[str] = frozenset()
        for step in _way_to(path):
            here = {
                role
                for (place, ugid, role), goes_down in self.entries.items()
                if place == step and ugid == who and (goes_down or step == path)
            }
            found = frozenset(here) if here else found
        return found

    def forget(self, who: str) -> None:
        """Drop a user or a token with all that was granted to it."""
        self.users.pop(who, None)
        self.tokens.pop(who, None)
        self.entries = {key: down for key, down in self.entries.items() if key[1] != who}

    def forget_role(self, role: str) -> None:
        """Drop a role, and with it every grant of it."""
        self.roles.pop(role, None)
        self.entries = {key: down for key, down in self.entries.items() if key[2] != role}

    def forget_path(self, path: str) -> None:
        """Drop what was granted on a path whose thing is gone."""
        self.entries = {key: down for key, down in self.entries.items() if key[0] != path}


def is_path(path: str) -> bool:
    """Whether something can be granted on a path (``check_path``)."""
    return _PATHS.fullmatch(path) is not None


def _way_to(path: str) -> Iterable[str]:
    yield "/"
    parts = path.strip("/").split("/")
    for length in range(1, len(parts) + 1 if parts != [""] else 0):
        yield "/" + "/".join(parts[:length])
