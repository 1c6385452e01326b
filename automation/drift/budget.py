"""How often the engine may look closer. Pure."""

import math

REQUESTS_A_LOOK = 12
"""What a refreshing preview of one workload asks of its node, roughly: guest, agent, firewall, storage."""


def looks_allowed(requests_per_second: float, seconds: float) -> int:
    """Return how many looks a node may have in so many seconds; at least one, else nothing would ever be looked at."""
    return max(1, math.floor(requests_per_second * seconds / REQUESTS_A_LOOK))
