"""Makes a blank dedicated server a Proxmox VE node, once: Robot's rescue system, SSH into it, installimage.

Runs in the engine's process of the dynamic providers, like :mod:`components.robot`, and imports no provider SDK. The
provider class is named in the state of stacks; do not move or rename it.
"""
