"""Proxmox Backup Server, driven through its API by dynamic providers.

The provider classes are named in the state of stacks: never move or rename them.
"""
