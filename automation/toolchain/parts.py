"""What the toolchain consists of, and the value handed to whoever runs the engine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Origin = Literal["path", "download", "build"]


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One program that the engine needs.

    Attributes:
        name: the executable's name, which Pulumi prescribes.
        version: the one version accepted, without a leading ``v``.
        plugin: the provider's name where the program is a provider plugin of its own.
    """

    name: str
    version: str
    plugin: str | None = None

    @property
    def plugin_folder(self) -> str:
        """The folder below ``PULUMI_HOME/plugins`` in which the engine looks for this plugin."""
        return f"resource-{self.plugin}-v{self.version}"


CLI = PartSpec("pulumi", "3.259.0")
LANGUAGE_HOST = PartSpec("pulumi-language-python", CLI.version)
DYNAMIC_PROVIDER = PartSpec("pulumi-resource-pulumi-python", CLI.version)
HCLOUD = PartSpec("pulumi-resource-hcloud", "1.43.3", plugin="hcloud")
PROXMOXVE = PartSpec("pulumi-resource-proxmoxve", "8.6.0", plugin="proxmoxve")
CLOUDFLARE = PartSpec("pulumi-resource-cloudflare", "6.23.1", plugin="cloudflare")

BUNDLE = (CLI, LANGUAGE_HOST, DYNAMIC_PROVIDER)
"""The engine looks for the last two beside the CLI itself, so the three are taken from one place or not at all."""

PLUGINS = (HCLOUD, PROXMOXVE, CLOUDFLARE)
PARTS = (*BUNDLE, *PLUGINS)


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is there.

    Attributes:
        name: the executable's name.
        version: its version, without a leading ``v``.
        path: the executable.
        origin: found on ``PATH`` (or in the user's own Pulumi folder), downloaded from its publisher, or made here.
    """

    name: str
    version: str
    path: Path
    origin: Origin


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Everything needed to run the engine.

    Attributes:
        parts: all of ``PARTS``, in their order.
        home: a folder for ``PULUMI_HOME`` whose ``plugins`` holds exactly our plugins.
    """

    parts: tuple[Part, ...]
    home: Path

    @property
    def pulumi(self) -> Path:
        """The CLI; its language host and dynamic-provider launcher lie beside it."""
        return self.parts[0].path

    @property
    def plugins(self) -> Path:
        """The folder of provider plugins, to be linked into a private ``PULUMI_HOME``."""
        return self.home / "plugins"

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables an engine process needs on top of its own.

        Plugins come from ``PULUMI_HOME`` and never from ``PATH``: there the engine ignores versions and warns at
        every run. Each setting was read in the CLI's ``sdk/go/common/env/env.go`` of version 3.259.0.

        Args:
            base: where the rest of ``PATH`` comes from; this process's environment by default.
        """
        path = (os.environ if base is None else base).get("PATH", os.defpath)
        return {
            "PATH": os.pathsep.join((str(self.pulumi.parent), path)),
            "PULUMI_HOME": str(self.home),
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # Without the first, each start lists every stack there is; without the second, the connection pool of
            # the PostgreSQL backend can deadlock on machines with few cores.
            "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "1",
            "PULUMI_DIY_BACKEND_PARALLEL": "1",
            # Bounds each Go process's threads and its backend connections (twice this number).
            "GOMAXPROCS": "2",
        }
