"""Proxmox VE: several independent nodes on the third-party ``fakepve``, in a process of their own.

``fakepve`` (AGPL) is used as published. Where the real ``proxmoxve`` provider meets a difference from
Proxmox VE, the difference is corrected here by a subclass, one module a subject: :mod:`lab.proxmox.answers`
(types), :mod:`lab.proxmox.drives` (disks and config changes), :mod:`lab.proxmox.guests` (addresses and
deletion), :mod:`lab.proxmox.tasks` (slow and failing tasks), :mod:`lab.proxmox.node` (all together).
"""
