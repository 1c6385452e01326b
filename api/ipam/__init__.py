"""Addresses: IPv4 pools, delegated IPv6 prefixes and VMIDs."""
