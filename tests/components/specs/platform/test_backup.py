"""The backup stack's configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.platform.backup import BackupSpec, PruneSpec

INSIDE = {"network": "10.10.0.0/16", "gateway": "10.10.0.1", "vpn": "10.10.250.0/24"}
SERVER = {"name": "backup-1", "location": "fsn1", "private_address": "10.10.0.51"}


def spec(**more: Any) -> BackupSpec:
    """A small stack's configuration."""
    return BackupSpec.model_validate(
        {"server": SERVER, "inside": INSIDE, "volume_gib": 100, "nodes": [{"name": "game-1"}], **more}
    )


def test_a_node_has_a_namespace_of_its_own_name() -> None:
    """Backups of two nodes never mix, whatever VMIDs their guests have."""
    assert [node.its_namespace for node in spec().nodes] == ["game-1"]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([{"name": "a"}, {"name": "a"}], "each node is there once; 'a'"),
        ([{"name": "a"}, {"name": "b", "namespace": "a"}], "each namespace is there once; 'a'"),
        ([], "at least 1 item"),
        ([{"name": "a", "schedule": "at noon; rm -rf /"}], "use a calendar event"),
    ],
)
def test_nodes_that_cannot_be_right_are_refused(nodes: list[dict[str, str]], message: str) -> None:
    """With the name that is there twice, or what is wrong with it."""
    with pytest.raises(ValidationError, match=message):
        spec(nodes=nodes)


def test_what_is_kept_has_the_servers_names() -> None:
    """Spans that are left out are not sent."""
    assert PruneSpec(keep_last=None, keep_daily=2, keep_weekly=None, keep_monthly=None).kept == {"keep-daily": 2}


def test_a_prune_job_that_keeps_nothing_in_particular_is_refused() -> None:
    """The server would keep everything, and the disk would fill up."""
    with pytest.raises(ValidationError, match="keep something"):
        PruneSpec(keep_last=None, keep_daily=None, keep_weekly=None, keep_monthly=None)
