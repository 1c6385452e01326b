"""The publishers' own downloads, where the network allows."""

import os
import queue
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from automation.toolchain.parts import BUNDLE, CLI, Origin, PartSpec
from automation.toolchain.progress import Progress

CLI_HOST = "https://get.pulumi.com/"
PLUGIN_HOST = "https://api.github.com/"

_PROBE_SECONDS = 4.0
_CLI_SECONDS = 300.0
_PLUGIN_SECONDS = 300.0

_INSTALL_CLI = """
import sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""


def reachable(url: str, seconds: float = _PROBE_SECONDS) -> bool:
    """Whether anything answers there soon, whatever it answers. Honours the usual proxy variables.

    The question runs in a thread that is left behind: a name that resolves to nothing can block for minutes in the
    system's resolver, which knows no deadline.
    """
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_answers(url, seconds)), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return False


def _answers(url: str, seconds: float) -> bool:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 -- the callers' addresses are constants
    try:
        with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310 -- as above
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class OfficialDownloads:
    """``PulumiCommand.install`` for the CLI and ``pulumi plugin install`` for the plugins.

    A download that fails is no error: the next source is asked.

    Args:
        root: the CLI's install root.
        home: the ``PULUMI_HOME`` that plugins are put into.
        server: another address for plugins, as ``pulumi plugin install --server`` takes it.
        is_reachable: asked before anything is tried.
    """

    origin: Origin = "download"

    def __init__(
        self,
        root: Path,
        home: Path,
        *,
        server: str | None = None,
        is_reachable: Callable[[str], bool] = reachable,
    ) -> None:
        self._root = root
        self._home = home
        self._server = server
        self._is_reachable = is_reachable

    def obtain(self, wanted: Sequence[PartSpec], cli: Path | None, progress: Progress) -> dict[str, Path]:
        """Download what is wanted; seconds where nothing can be reached, minutes at most elsewhere."""
        found: dict[str, Path] = {}
        if set(BUNDLE) <= set(wanted) and self._answers(CLI_HOST, progress):
            found |= self._cli(progress)
            cli = found.get(CLI.name, cli)
        plugins = [spec for spec in wanted if spec.plugin]
        if cli is not None and plugins and self._answers(self._server or PLUGIN_HOST, progress):
            for spec in plugins:
                found |= self._plugin(spec, cli, progress)
        return found

    def _answers(self, url: str, progress: Progress) -> bool:
        progress.step(f"Asking {url}")
        return self._is_reachable(url)

    def _cli(self, progress: Progress) -> dict[str, Path]:
        progress.step(f"Downloading {CLI.name} {CLI.version}")
        command = [sys.executable, "-c", _INSTALL_CLI, str(self._root), CLI.version]
        _run(command, dict(os.environ), _CLI_SECONDS)
        paths = {spec.name: self._root / "bin" / spec.name for spec in BUNDLE}
        return paths if all(os.access(path, os.X_OK) for path in paths.values()) else {}

    def _plugin(self, spec: PartSpec, cli: Path, progress: Progress) -> dict[str, Path]:
        progress.step(f"Downloading {spec.name} {spec.version}")
        command = [str(cli), "--non-interactive", "plugin", "install", "resource", spec.plugin or "", spec.version]
        server = self._server or _PUBLISHERS.get(spec.plugin or "")
        command += ["--server", server] if server else []
        environment = {**os.environ, "PULUMI_HOME": str(self._home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
        _run(command, environment, _PLUGIN_SECONDS)
        path = self._home / "plugins" / spec.plugin_folder / spec.name
        return {spec.name: path} if os.access(path, os.X_OK) else {}


# As in the SDK's pulumi-plugin.json; the others are Pulumi's own and need no address.
_PUBLISHERS = {"proxmoxve": "github://api.github.com/muhlba91/pulumi-proxmoxve"}


def _run(command: Sequence[str], environment: dict[str, str], seconds: float) -> None:
    """Run to the end or the deadline; the caller looks at what is there afterwards."""
    try:
        subprocess.run(
            command,
            env=environment,
            capture_output=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return
