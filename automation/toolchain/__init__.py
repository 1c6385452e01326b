"""The Pulumi CLI, its language host and the provider plugins: found, downloaded or built.

The names here import nothing heavy: the plugins of ``automation.toolchain.plugins`` live below this package and
are started once an order.
"""

from automation.toolchain.ensure import ensure_toolchain
from automation.toolchain.find import ToolchainMissingError, find_toolchain
from automation.toolchain.parts import Part, Toolchain

__all__ = ["Part", "Toolchain", "ToolchainMissingError", "ensure_toolchain", "find_toolchain"]
