"""Parts that the operator has installed: on ``PATH`` or in their own Pulumi folder."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from automation.toolchain.parts import BUNDLE, CLI, Origin, PartSpec
from automation.toolchain.progress import Progress

_ANSWER_SECONDS = 20.0


class InstalledParts:
    """Accepts the exact versions only: another version of a provider may plan other changes.

    Args:
        environment: where ``PATH``, ``PULUMI_HOME`` and ``HOME`` are read; this process's by default.
    """

    origin: Origin = "path"

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def obtain(self, wanted: Sequence[PartSpec], cli: Path | None, progress: Progress) -> dict[str, Path]:
        """Look for each; the CLI only together with the host and launcher that the engine wants beside it."""
        del cli
        progress.step("Looking for an installed toolchain")
        found = {spec.name: path for spec in wanted if spec.plugin and (path := self._plugin(spec)) is not None}
        if set(BUNDLE) <= set(wanted):
            found |= self._bundle()
        return found

    def _bundle(self) -> dict[str, Path]:
        command = shutil.which(CLI.name, path=self._environment.get("PATH", ""))
        if command is None or self._version(command, "version") != CLI.version:
            return {}
        # The engine looks beside the real file, not beside a link to it.
        folder = Path(command).resolve().parent
        paths = {spec.name: folder / spec.name for spec in BUNDLE}
        return paths if all(os.access(path, os.X_OK) for path in paths.values()) else {}

    def _plugin(self, spec: PartSpec) -> Path | None:
        """The plugin in the user's Pulumi folder, whose name tells its version, or on ``PATH``."""
        home = self._environment.get("PULUMI_HOME") or Path(self._environment.get("HOME", "/")) / ".pulumi"
        kept = Path(home, "plugins", spec.plugin_folder, spec.name)
        if os.access(kept, os.X_OK):
            return kept
        command = shutil.which(spec.name, path=self._environment.get("PATH", ""))
        if command is None or self._version(command, "-version") != spec.version:
            return None
        return Path(command)

    def _version(self, command: str, *arguments: str) -> str | None:
        """What the program says its version is, without a leading ``v``."""
        environment = {**self._environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        try:
            answer = subprocess.run(
                [command, *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=_ANSWER_SECONDS,
                check=True,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return answer.stdout.strip().removeprefix("v")
