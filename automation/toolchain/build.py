"""Programs made here: Go ones from pinned modules, Python ones as launchers of this package's plugins."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from automation.toolchain.go import GoCompiler, find_go
from automation.toolchain.launchers import LAUNCHED, write_launcher
from automation.toolchain.layout import GO_SOURCES, Layout
from automation.toolchain.parts import CLI, Origin, PartSpec
from automation.toolchain.progress import Progress
from automation.toolchain.source import SourceError

_CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
# Without the version the CLI prints an empty one, and the Automation API refuses it.
_CLI_LDFLAGS = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{CLI.version}"
_SCHEMA_SECONDS = 120.0


class BuiltParts:
    """The last source: it has every part, given Go.

    Args:
        layout: where the results go.
        compiler: finds the compiler; ``None`` is a clear error when something must be compiled.
        sources: the folder with the ``cli`` and ``providers`` modules.
    """

    origin: Origin = "build"

    def __init__(
        self,
        layout: Layout,
        *,
        compiler: Callable[[], Path | None] = find_go,
        sources: Path = GO_SOURCES,
    ) -> None:
        self._layout = layout
        self._compiler = compiler
        self._sources = sources

    def obtain(self, wanted: Sequence[PartSpec], cli: Path | None, progress: Progress) -> dict[str, Path]:
        """Make what is wanted; minutes for Go programs that are not built yet.

        Raises:
            SourceError: there is no compiler, or it failed.
        """
        del cli
        found = {}
        compiled = [spec for spec in wanted if spec.name not in LAUNCHED]
        lacking = [spec for spec in compiled if not (self._layout.built / spec.name).exists()]
        if lacking:
            self._compile(lacking, progress)
        for spec in compiled:
            found[spec.name] = self._place(spec)
        for spec in wanted:
            if spec.name in LAUNCHED:
                found[spec.name] = write_launcher(self._layout.launchers, spec)
        return found

    def _place(self, spec: PartSpec) -> Path:
        """A plugin stays where it was built; the CLI must lie beside this interpreter's launchers.

        A hard link where possible: the CLI has 110 MB, and through a symbolic one it would look for its language
        host beside the original.
        """
        built = self._layout.built / spec.name
        if spec is not CLI:
            return built
        self._layout.launchers.mkdir(parents=True, exist_ok=True)
        placed = self._layout.launchers / spec.name
        placed.unlink(missing_ok=True)
        try:
            os.link(built, placed)
        except OSError:
            shutil.copy2(built, placed)
        return placed

    def _compile(self, lacking: Sequence[PartSpec], progress: Progress) -> None:
        command = self._compiler()
        if command is None:
            names = ", ".join(spec.name for spec in lacking)
            raise SourceError(f"Building {names} needs Go, which is neither on PATH nor in /usr/local/go")
        compiler = GoCompiler(command)
        self._layout.built.mkdir(parents=True, exist_ok=True)
        # On the same file system as the result, so that it can be moved there at once.
        with tempfile.TemporaryDirectory(dir=self._layout.root, prefix="building-") as folder:
            work = Path(folder)
            shutil.copytree(self._sources, work / "go")
            for spec in lacking:
                output = work / spec.name
                if spec is CLI:
                    progress.step(f"Building {spec.name} {spec.version}")
                    compiler.build(work / "go/cli", [_CLI_PACKAGE], output, progress, ldflags=_CLI_LDFLAGS)
                else:
                    self._compile_plugin(compiler, spec, work, progress)
                output.replace(self._layout.built / spec.name)

    @staticmethod
    def _compile_plugin(compiler: GoCompiler, spec: PartSpec, work: Path, progress: Progress) -> None:
        """Have the schema written, then build the plugin that carries it."""
        module, tool, package = work / "go/providers", work / "schema", f"./cmd/{spec.name}"
        if not tool.exists():
            progress.step("Building the providers' schema tool")
            compiler.build(module, ["./cmd/schema"], tool, progress)
        progress.step(f"Building {spec.name} {spec.version}")
        written = subprocess.run(
            [str(tool), spec.plugin or "", str(module / "cmd" / spec.name)],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=_SCHEMA_SECONDS,
            check=False,
        )
        if written.returncode != 0:
            raise SourceError(f"The schema of {spec.plugin} could not be written:\n{written.stderr[-2000:]}")
        compiler.build(module, [package], work / spec.name, progress)
