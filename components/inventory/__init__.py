"""Telling Inventory what a platform stack has made: a client of the API, and the resource that speaks through it.

What runs inside the engine's process of the dynamic providers imports nothing else: no provider SDK, no component.
The provider class is named in every stack's state; do not move or rename it.
"""
