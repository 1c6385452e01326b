"""Finds a toolchain that is already there."""

from collections.abc import Iterable

from automation.toolchain.layout import Layout
from automation.toolchain.manifest import read_manifest
from automation.toolchain.parts import CLI, PARTS, PartSpec, Toolchain

THREE_WAYS = (
    f"Either install them so that they are on PATH (Pulumi {CLI.version} from https://www.pulumi.com/docs/install/), "
    "or let this machine reach get.pulumi.com and api.github.com, "
    "or install Go (https://go.dev/doc/install) so that they can be built; then run `python -m automation.toolchain`."
)


class ToolchainMissingError(RuntimeError):
    """Parts of the toolchain are not there.

    Attributes:
        missing: names of the executables.
    """

    def __init__(self, missing: Iterable[str], reason: str = "") -> None:
        self.missing = tuple(missing)
        because = f" {reason.rstrip('.')}." if reason else ""
        super().__init__(f"The Pulumi toolchain lacks {', '.join(self.missing)}.{because} {THREE_WAYS}")


def find_toolchain(layout: Layout | None = None) -> Toolchain:
    """The toolchain that ``ensure_toolchain`` recorded, checked by file size and time (milliseconds).

    Never searches, downloads or builds.

    Raises:
        ToolchainMissingError: a part was never recorded, or has changed since.
    """
    layout = layout or Layout.of_this_process()
    parts = read_manifest(layout.manifest)
    missing = [spec.name for spec in PARTS if spec.name not in parts or not _in_place(layout, spec)]
    if missing:
        raise ToolchainMissingError(missing)
    return Toolchain(tuple(parts[spec.name] for spec in PARTS), layout.home)


def _in_place(layout: Layout, spec: PartSpec) -> bool:
    """Whether the engine would find the plugin in its home."""
    return spec.plugin is None or (layout.home / "plugins" / spec.plugin_folder / spec.name).exists()
