"""Hetzner Cloud's API v1 as far as a provider's own estate needs it: resources, actions and limits, kept in memory.

Written from the public API description (docs.hetzner.cloud) and checked with the official Python SDK and the real
hcloud plugin as clients. Every resource is plain data in one :class:`lab.hcloud.project.Project` a token; what the API
derives (a network's servers, a server's volumes) is derived here too, so that two sides of a relation never disagree.
"""
