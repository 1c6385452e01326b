"""The connection to a backup server."""

import pytest

from components.pbs.client import Pbs
from components.pbs.errors import PbsError, PbsRefused, PbsUnreachable, WrongCredentials
from lab.client import RunningLab
from tests.fixtures.backup_server import client, pbs

__all__ = ["pbs"]


def test_wrong_credentials_are_tried_once(lab: RunningLab) -> None:
    """However many resources ask; the message names the variables."""
    connection = client(lab.document.pbs, password="wrong")
    for _ in range(3):
        with pytest.raises(WrongCredentials, match="PBS_USERNAME and PBS_PASSWORD"):
            connection.get("/config/datastore")
    assert lab.faults.pbs.logins() == [False]


def test_another_certificate_gets_no_password(lab: RunningLab) -> None:
    """Whoever answers under the address is not the server that the fingerprint belongs to."""
    connection = client(lab.document.pbs, fingerprint="00:" * 31 + "00")
    with pytest.raises(PbsError, match="another certificate than PBS_FINGERPRINT says"):
        connection.get("/version")
    assert lab.faults.pbs.logins() == []


def test_a_question_is_asked_again_and_a_change_is_not(lab: RunningLab, pbs: Pbs) -> None:
    """A change whose answer is lost may have been made."""
    pbs.get("/version")
    lab.faults.pbs.add("error", method="GET", path="/api2/json/config/datastore", status=502, times=2)
    assert pbs.get("/config/datastore") == []
    lab.faults.pbs.add("late_error", method="POST", path="/api2/json/config/datastore", status=502, times=1)
    with pytest.raises(PbsUnreachable, match="run again"):
        pbs.write("POST", "/config/datastore", {"name": "main", "path": "/mnt/datastore/main"})
    assert [item["name"] for item in pbs.get("/config/datastore")] == ["main"]


def test_a_refusal_says_what_the_server_said(pbs: Pbs) -> None:
    """With the request that was refused."""
    with pytest.raises(PbsRefused, match=r"POST /config/datastore: .*'path': parameter is missing"):
        pbs.write("POST", "/config/datastore", {"name": "main"})
