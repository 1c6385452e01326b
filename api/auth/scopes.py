"""What a credential may do."""

from enum import StrEnum

from api.auth.models import Role


class Scope(StrEnum):
    """A permission of an API token. No scope contains another.

    A browser's session has all that its account may hold: ``admin`` is for staff alone.
    """

    ACCOUNT = "account"
    ADMIN = "admin"
    INVENTORY_READ = "inventory:read"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    WORKLOADS_READ = "workloads:read"
    WORKLOADS_WRITE = "workloads:write"


ALL_SCOPES = frozenset(Scope)
STAFF_SCOPES = frozenset({Scope.ADMIN, Scope.INVENTORY_READ})
CUSTOMER_SCOPES = ALL_SCOPES - STAFF_SCOPES


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return what an account of this role may hold at all; a token keeps no more than that when a role is taken."""
    return CUSTOMER_SCOPES if role is Role.CUSTOMER else ALL_SCOPES
