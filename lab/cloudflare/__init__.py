"""Cloudflare's API v4 as far as Slipway uses it: zones, records, rulesets, load balancing, tunnels; in memory.

Written from the public API description (developers.cloudflare.com/api) and checked with the official SDK.
"""
