"""What an engine runs."""

from automation.toolchain import Toolchain


def program_versions(toolchain: Toolchain) -> dict[str, str]:
    """Return the versions of the program, the CLI and the plugins."""
    return {part.name: part.version for part in toolchain.parts}
