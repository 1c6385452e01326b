"""Datastores and jobs of a backup server."""

import pytest
from proxmoxer import ProxmoxAPI

from components.pbs.client import Pbs
from components.pbs.errors import PbsError
from components.pbs.sections import Sections
from components.specs.pbs import PbsSectionSpec, Setting
from lab.client import RunningLab
from tests.fixtures.backup_server import by_hand, pbs

__all__ = ["by_hand", "pbs"]


def store(**more: Setting) -> PbsSectionSpec:
    """A datastore."""
    return PbsSectionSpec(kind="datastore", name="main", settings={"path": "/mnt/datastore/main", **more})


def test_a_lost_answer_makes_no_second_datastore(lab: RunningLab, pbs: Pbs) -> None:
    """It is looked for, found and brought to its form."""
    lab.faults.pbs.add("lose_answer", method="POST", path="/api2/json/config/datastore", times=1)
    live = Sections(pbs).ensure(store(comment="ours"))
    assert live == {"path": "/mnt/datastore/main", "comment": "ours"}


def test_one_of_the_same_name_is_taken_over(pbs: Pbs, by_hand: ProxmoxAPI) -> None:
    """An interrupted run has made it, or somebody by hand; what is not ours to say stays."""
    by_hand.config.datastore.post(name="main", path="/mnt/datastore/main", comment="by hand")
    live = Sections(pbs).ensure(store(**{"gc-schedule": "daily"}))
    assert live == {"path": "/mnt/datastore/main", "comment": "by hand", "gc-schedule": "daily"}


def test_a_datastores_path_is_never_changed(pbs: Pbs, by_hand: ProxmoxAPI) -> None:
    """Its backups are there, and nothing moves them."""
    by_hand.config.datastore.post(name="main", path="/mnt/elsewhere")
    with pytest.raises(PbsError, match="path of datastore 'main' is /mnt/elsewhere and cannot be changed"):
        Sections(pbs).ensure(store())
    assert by_hand.config.datastore("main").get()["path"] == "/mnt/elsewhere"


def test_a_setting_that_is_no_longer_wanted_goes(pbs: Pbs) -> None:
    """Only where it was ours."""
    sections = Sections(pbs)
    sections.ensure(store(comment="ours", **{"gc-schedule": "daily"}))
    live = sections.bring(store(**{"gc-schedule": "hourly"}), no_longer={"comment": "ours"})
    assert live == {"path": "/mnt/datastore/main", "gc-schedule": "hourly"}


def test_what_is_gone_already_is_removed_without_a_word(pbs: Pbs) -> None:
    """A destroy that was cut off runs again."""
    sections = Sections(pbs)
    sections.ensure(store())
    for _ in range(2):
        sections.remove("datastore", "main")
    assert sections.get("datastore", "main") is None
