"""Cloudflare's DNS API v4 as far as Slipway uses it: zones and DNS records, kept in memory.

Written from the public API description (developers.cloudflare.com/api) and checked with the official SDK.
"""
