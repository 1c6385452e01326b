"""Finding a toolchain that is there."""

import pytest

from automation.toolchain.ensure import ensure_toolchain
from automation.toolchain.find import ToolchainMissingError, find_toolchain
from automation.toolchain.layout import Layout
from automation.toolchain.parts import HCLOUD, PARTS
from tests.fakes.toolchain import FixedSource, RecordingProgress


def test_nothing_there_names_every_part_and_three_ways(layout: Layout) -> None:
    """The operator learns what to do from the message alone."""
    with pytest.raises(ToolchainMissingError) as caught:
        find_toolchain(layout)
    message = str(caught.value)
    assert all(spec.name in message for spec in PARTS)
    assert "PATH" in message
    assert "get.pulumi.com" in message
    assert "install Go" in message
    assert not layout.root.exists()


def test_what_was_ensured_is_found(layout: Layout, every_part: FixedSource) -> None:
    """By the record alone."""
    made = ensure_toolchain(RecordingProgress(), layout=layout, sources=[every_part])
    assert find_toolchain(layout) == made


def test_a_plugin_gone_from_the_engines_home_is_missing(layout: Layout, every_part: FixedSource) -> None:
    """The engine looks nowhere else."""
    made = ensure_toolchain(RecordingProgress(), layout=layout, sources=[every_part])
    (made.plugins / HCLOUD.plugin_folder / HCLOUD.name).unlink()
    with pytest.raises(ToolchainMissingError) as caught:
        find_toolchain(layout)
    assert caught.value.missing == (HCLOUD.name,)
