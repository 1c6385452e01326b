"""Staff: who may look after other people's things, and how far.

A staff route says so in its signature::

    def approve(person: Annotated[Principal, require_role(Role.OPERATOR)]) -> PlanView:

Support sees, an operator approves and repairs, an admin sets policy; each may do what those before it may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Security

from api.auth.caller import Principal
from api.auth.errors import RoleRequired
from api.auth.models import Role
from api.auth.principal import authorize
from api.auth.scopes import STAFF_SCOPES, Scope

_RANKS: Mapping[Role, int] = MappingProxyType({Role.CUSTOMER: 0, Role.SUPPORT: 1, Role.OPERATOR: 2, Role.ADMIN: 3})


def is_staff(role: Role) -> bool:
    """Tell whether an account with this role may see other people's things."""
    return role is not Role.CUSTOMER


def may(role: Role, needed: Role) -> bool:
    """Tell whether ``role`` reaches as far as ``needed``."""
    return _RANKS[role] >= _RANKS[needed]


def check_role(role: Role, needed: Role) -> None:
    """Refuse who may not do this.

    Raises:
        RoleRequired: naming the role that is needed.
    """
    if not may(role, needed):
        raise RoleRequired(
            f"this needs the role '{needed}', and yours is '{role}': ask an administrator", required_role=needed.value
        )


def check_customer(role: Role) -> None:
    """Refuse staff where customers look after their own things: one account is for one of the two.

    Raises:
        RoleRequired: naming the role that is needed.
    """
    if is_staff(role):
        raise RoleRequired(
            f"this is for customers, and your role is '{role}': use an account of a customer",
            required_role=Role.CUSTOMER.value,
        )


@dataclass(frozen=True, slots=True)
class RoleCheck:
    """The dependency behind ``require_role``, which names the scope; tests find a route's role by it."""

    needed: Role

    async def __call__(self, principal: Annotated[Principal, Security(authorize)]) -> Principal:
        """Return the principal.

        Raises:
            RoleRequired: if the account's role does not reach so far.
        """
        check_role(principal.role, self.needed)
        return principal


def require_role(needed: Role, *, scope: Scope = Scope.ADMIN) -> Any:
    """Declare that a route needs staff of at least this role; for use within ``Annotated[Principal, …]``.

    A token needs ``scope`` besides, one of those that only staff accounts may hold.

    Raises:
        ValueError: at import, for the role of customers, which would ask for nothing, or a scope that they may hold.
    """
    if not is_staff(needed) or scope not in STAFF_SCOPES:
        raise ValueError("customers are not staff: use require(scope)")
    return Security(RoleCheck(needed), scopes=[scope.value])
