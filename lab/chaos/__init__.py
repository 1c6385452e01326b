"""``slipway chaos``: the whole system at work, a fault now and then, and the invariants looked at all the while."""
