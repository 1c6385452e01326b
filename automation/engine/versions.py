"""What an engine runs: a plan is bound to it, for another program or plugin may do something else."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from automation.toolchain import Toolchain

_SOURCES = ("components", "stacks", "automation.engine.programs")
_DIGITS = 12
_NAMES = {
    "pulumi": "pulumi",
    "pulumi-resource-hcloud": "hcloud",
    "pulumi-resource-proxmoxve": "proxmoxve",
    "pulumi-resource-cloudflare": "cloudflare",
}


def program_versions(toolchain: Toolchain) -> dict[str, str]:
    """Return the versions of ``program`` (a digest of its source files), ``pulumi`` and each provider's plugin.

    Blocks for a moment: some dozens of files are read, and nothing is imported.
    """
    parts = {_NAMES[part.name]: part.version for part in toolchain.parts if part.name in _NAMES}
    return {"program": program_digest(_files()), **parts}


def program_digest(files: dict[str, Path]) -> str:
    """Return twelve digits that change when any of the files, by name and content, does."""
    total = hashlib.sha256()
    for name, path in sorted(files.items()):
        total.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:_DIGITS]


def _files() -> dict[str, Path]:
    """Find the source files of the program and of what it imports of ours, by their names below the root."""
    found: dict[str, Path] = {}
    for module in _SOURCES:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"module {module!r} of the program cannot be found", name=module)
        if spec.submodule_search_locations is None:
            found[module] = Path(spec.origin)
            continue
        folder = Path(spec.origin).parent
        found |= {f"{module}/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*.py")}
    return found
