"""What a credential may do."""

from enum import StrEnum


class Scope(StrEnum):
    """A permission of an API token; a browser's session has all of them. No scope contains another."""

    ACCOUNT = "account"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    WORKLOADS_READ = "workloads:read"
    WORKLOADS_WRITE = "workloads:write"


ALL_SCOPES = frozenset(Scope)
