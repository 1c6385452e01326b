"""Plugins of ours, each started by the engine through a launcher in the toolchain's folders."""
