"""Benchmarks: what Slipway adds to what the outside world takes. Ratios in one run, never a test."""
