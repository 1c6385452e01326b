"""How a customer's machine is, in words."""

import pytest

from api.web.situation import situation_of
from api.workloads.models import WorkloadStatus
from components.specs.machine import DeploymentKind

W, K = WorkloadStatus, DeploymentKind


@pytest.mark.parametrize("status", WorkloadStatus)
def test_every_status_has_a_word_and_a_sentence(status: WorkloadStatus) -> None:
    """For its owner, who does not know our names."""
    found = situation_of(status, is_rescue=False, under_way=None, was_delivered=False)

    assert found.sentence.endswith(".")
    assert "_" not in found.word


@pytest.mark.parametrize(
    ("status", "is_rescue", "under_way", "word"),
    [
        (W.RUNNING, False, None, "running"),
        (W.RUNNING, True, None, "in rescue"),
        (W.UPDATING, True, K.RESCUE, "going into rescue"),
        (W.UPDATING, False, K.INSTALL, "being reinstalled"),
        (W.UPDATING, False, None, "being changed"),
        (W.CANCELLING, False, K.WIPE, "being taken back"),
    ],
)
def test_what_goes_on_is_told_apart(
    status: WorkloadStatus, *, is_rescue: bool, under_way: DeploymentKind | None, word: str
) -> None:
    """A machine in rescue is not "running", and a reinstallation says that the data is gone."""
    assert situation_of(status, is_rescue=is_rescue, under_way=under_way, was_delivered=True).word == word
