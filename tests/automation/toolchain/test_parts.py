"""The value that describes the toolchain."""

import importlib.metadata
import json
import os
from pathlib import Path

import pytest

from automation.toolchain.layout import Layout
from automation.toolchain.parts import CLI, PARTS, PLUGINS, Part, PartSpec, Toolchain


@pytest.fixture
def toolchain(layout: Layout) -> Toolchain:
    """All parts in one folder."""
    return Toolchain(
        tuple(Part(spec.name, spec.version, Path("/t", spec.name), "build") for spec in PARTS), layout.home
    )


def test_the_cli_is_the_version_of_the_installed_sdk() -> None:
    """The Automation API refuses a CLI that is too far from it."""
    assert importlib.metadata.version("pulumi") == CLI.version


@pytest.mark.parametrize("spec", PLUGINS, ids=lambda spec: spec.name)
def test_each_plugin_is_the_version_its_installed_sdk_asks_for(spec: PartSpec) -> None:
    """The engine takes the version that the SDK sends with every resource."""
    package = importlib.metadata.distribution(f"pulumi-{spec.plugin}")
    wanted = json.loads(Path(str(package.locate_file(f"pulumi_{spec.plugin}/pulumi-plugin.json"))).read_text("utf-8"))
    assert (wanted["name"], wanted["version"]) == (spec.plugin, spec.version)


def test_the_environment_puts_the_cli_first_and_keeps_the_rest_of_the_path(toolchain: Toolchain) -> None:
    """So that `pulumi` is ours, and git and the like are still found."""
    assert toolchain.environment({"PATH": "/usr/bin"})["PATH"] == "/t:/usr/bin"
    assert toolchain.environment({})["PATH"] == f"/t:{os.defpath}"


def test_the_engine_takes_plugins_from_the_home_only_and_downloads_nothing(toolchain: Toolchain) -> None:
    """A plugin on PATH would be taken whatever its version."""
    environment = toolchain.environment({})
    assert environment["PULUMI_HOME"] == str(toolchain.home)
    assert toolchain.plugins == toolchain.home / "plugins"
    assert environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert environment["PULUMI_SKIP_UPDATE_CHECK"] == "true"


def test_a_plugins_folder_is_named_as_the_engine_expects() -> None:
    """The name tells kind, provider and version."""
    assert [spec.plugin_folder for spec in PLUGINS] == [
        "resource-hcloud-v1.43.3",
        "resource-proxmoxve-v8.6.0",
        "resource-cloudflare-v6.23.1",
    ]
