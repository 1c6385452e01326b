"""The lab's Proxmox Backup Server by a third party's client."""

import pytest
from proxmoxer import ProxmoxAPI
from proxmoxer.core import AuthenticationError, ResourceException

from lab.client import RunningLab
from tests.fixtures.backup_server import by_hand, third_party

__all__ = ["by_hand"]


def test_a_datastore_with_its_jobs_comes_changes_and_goes(by_hand: ProxmoxAPI) -> None:
    """A datastore's removal takes its jobs along."""
    by_hand.config.datastore.post(name="main", path="/mnt/datastore/main", **{"gc-schedule": "daily"})
    by_hand.config.prune.post(id="main-prune", store="main", schedule="daily", **{"keep-last": 3})
    by_hand.config.verify.post(id="main-verify", store="main", schedule="sat 18:15", **{"outdated-after": 30})
    by_hand.config.prune("main-prune").put(schedule="02:00", delete="keep-last", **{"keep-daily": 7})

    job = by_hand.config.prune("main-prune").get()

    assert job == {"id": "main-prune", "store": "main", "schedule": "02:00", "keep-daily": 7}
    by_hand.config.datastore("main").delete()
    assert (by_hand.config.prune.get(), by_hand.config.verify.get(), by_hand.config.datastore.get()) == ([], [], [])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "main"}, "'path': parameter is missing"),
        ({"name": "x", "path": "/mnt/x"}, "'name': value does not match"),
        ({"name": "other", "path": "/mnt/datastore/main"}, "'path': path '/mnt/datastore/main' is already in use"),
        ({"name": "main", "path": "/mnt/y"}, "'name': datastore 'main' already exists"),
        ({"name": "more", "path": "/mnt/y", "colour": "red"}, "'colour': schema does not allow"),
    ],
)
def test_what_a_datastore_cannot_be_is_said(by_hand: ProxmoxAPI, fields: dict[str, str], message: str) -> None:
    """In a line of text, with the parameter's name."""
    by_hand.config.datastore.post(name="main", path="/mnt/datastore/main")
    with pytest.raises(ResourceException, match=message):
        by_hand.config.datastore.post(**fields)


def test_a_token_may_do_what_it_and_its_user_may(by_hand: ProxmoxAPI, lab: RunningLab) -> None:
    """It sees its own namespace and no other, and cannot configure anything."""
    by_hand.config.datastore.post(name="main", path="/mnt/datastore/main")
    for name in ("game-1", "bot-1"):
        by_hand("admin/datastore/main/namespace").post(name=name)
    by_hand.access.users.post(userid="nodes@pbs")
    made = by_hand.access.users("nodes@pbs").token("game-1").post()
    token = third_party(lab.document.pbs, (made["tokenid"], made["value"]))
    for who in ("nodes@pbs!game-1", "nodes@pbs"):
        assert [item["ns"] for item in token("admin/datastore/main/namespace").get()] == []
        rule = {"path": "/datastore/main/game-1", "role": "DatastoreBackup", "auth-id": who}
        by_hand.access.acl.put(**rule)

    assert [item["ns"] for item in token("admin/datastore/main/namespace").get()] == ["game-1"]
    with pytest.raises(ResourceException, match="403"):
        token("admin/datastore/main/groups").get(ns="bot-1")
    with pytest.raises(ResourceException, match="403"):
        token.config.datastore.get()


def test_a_wrong_password_or_secret_is_refused(lab: RunningLab) -> None:
    """A password at the login, a token's secret at every request."""
    section = lab.document.pbs
    with pytest.raises(AuthenticationError):
        third_party(section.model_copy(update={"password": "wrong"}))
    with pytest.raises(ResourceException, match="401"):
        third_party(section, ("nodes@pbs!game-1", "wrong")).version.get()
