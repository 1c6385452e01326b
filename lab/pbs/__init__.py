"""A stand-in for Proxmox Backup Server: configuration, users, tokens, permissions and namespaces, but no backups' data.

Built from its public API description and sources (git.proxmox.com, proxmox-backup, ``src/api2``).
"""
