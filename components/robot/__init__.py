"""Hetzner's Robot webservice: a careful client, and the dynamic providers that speak through it.

What runs inside the engine's process of the dynamic providers imports nothing else: no provider SDK, no component.
The provider classes are named in every stack's state; do not move or rename them.
"""
