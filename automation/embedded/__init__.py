"""Real PostgreSQL and Redis out of Python wheels, for `slipway up` without an operator's servers and for tests."""
