"""The control plane's token, from a node of the lab to whoever takes it, over real HTTP on both sides."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from components.pve_access.errors import AccessError, Refused, Unreachable
from components.pve_access.provider import NodeAccessProvider
from components.specs.platform import credential_variable
from components.specs.platform.node_access import NodeAccessSpec, control_plane_grants
from tests.fakes.credential_desk import BEARER, CredentialDesk, serving

if TYPE_CHECKING:
    from lab.client import RunningLab

NAME = "cloud-1"
VARIABLE = credential_variable("PROXMOX_VE_PASSWORD", NAME)


@pytest.fixture
def desk(lab: "RunningLab", monkeypatch: pytest.MonkeyPatch) -> Iterator[CredentialDesk]:
    """The control plane, and a node whose user and roles are there already."""
    api = lab.truth.node(NAME)
    api.access.users.post(userid="slipway@pve")
    for role in {grant.role for grant in wanted(lab).grants}:
        api.access.roles.post(roleid=role, privs="VM.Audit")
    entry = next(node for node in lab.document.proxmox.nodes if node.name == NAME)
    with serving() as running:
        monkeypatch.setenv(VARIABLE, entry.password)
        monkeypatch.setenv("SLIPWAY_INVENTORY_URL", running.url)
        monkeypatch.setenv("SLIPWAY_INVENTORY_TOKEN", BEARER)
        yield running


def wanted(lab: "RunningLab", rotation: int = 1) -> NodeAccessSpec:
    """What the stack declares."""
    entry = next(node for node in lab.document.proxmox.nodes if node.name == NAME)
    grants = control_plane_grants(NAME, ["local-lvm"], [9000])
    return NodeAccessSpec(node=NAME, endpoint=entry.endpoint, verify_tls=False, rotation=rotation, grants=grants)


def inputs(lab: "RunningLab", rotation: int = 1) -> dict[str, Any]:
    """The same as the engine hands it over, where every number is a float."""
    document = wanted(lab, rotation).model_dump(mode="json")
    return {**document, "rotation": float(rotation)}


def create(lab: "RunningLab") -> dict[str, Any]:
    """Make the token as the engine does; what it keeps of it."""
    made = NodeAccessProvider().create(inputs(lab))
    assert made.id == NAME
    return dict(made.outs or {})


def read(kept: dict[str, Any]) -> dict[str, Any] | None:
    """What a refresh finds; None if the token is gone."""
    found = NodeAccessProvider().read(NAME, kept)
    return dict(found.outs or {}) if found.id is not None else None


def tokens(lab: "RunningLab") -> list[str]:
    """The names of the user's tokens on the node."""
    return [item["tokenid"] for item in lab.truth.node(NAME).access.users("slipway@pve").token.get()]


def opens(lab: "RunningLab", token: str) -> bool:
    """Whether a token opens the node's API."""
    from proxmoxer import ResourceException  # noqa: PLC0415 - the SDKs are imported by tests of the lab only

    from lab.truth import proxmox_client  # noqa: PLC0415

    entry = next(node for node in lab.document.proxmox.nodes if node.name == NAME)
    try:
        proxmox_client(entry.model_copy(update={"api_token": token}), lab.document.proxmox.ca_file).version.get()
    except ResourceException as error:
        if error.status_code == 401:
            return False
        raise
    return True


def test_a_token_is_made_deposited_seen_and_removed(lab: "RunningLab", desk: CredentialDesk) -> None:
    """Its secret is in nothing that the engine gets."""
    kept = create(lab)
    token_id, _, secret = desk.tokens[NAME].partition("=")
    assert kept["token_id"] == token_id
    assert secret not in str(kept)
    assert opens(lab, desk.tokens[NAME])
    assert read(kept) == kept
    assert not NodeAccessProvider().diff(NAME, kept, inputs(lab)).changes
    NodeAccessProvider().delete(NAME, kept)
    assert (tokens(lab), desk.tokens) == ([], {})
    assert read(kept) is None


def test_a_rotation_leaves_no_moment_without_a_token(lab: "RunningLab", desk: CredentialDesk) -> None:
    """The earlier one holds until the new one is taken; only the new one is left."""
    provider = NodeAccessProvider()
    kept = create(lab)
    earlier = desk.tokens[NAME]
    assert provider.diff(NAME, kept, inputs(lab, 2)).changes
    desk.answers = [503, 503, 503]
    with pytest.raises(Unreachable, match=r"the control plane failed at taking the token .*run again"):
        provider.update(NAME, kept, inputs(lab, 2))
    assert opens(lab, earlier)
    provider.update(NAME, kept, inputs(lab, 2))
    assert tokens(lab) == ["control-plane-2"]
    assert opens(lab, desk.tokens[NAME])
    assert not opens(lab, earlier)


def test_a_token_whose_deposit_is_unknown_is_made_anew(lab: "RunningLab", desk: CredentialDesk) -> None:
    """The answer is lost each time, though the control plane has taken it; it keeps what it has until the next."""
    provider = NodeAccessProvider()
    desk.answers = [0, 0, 0]
    with pytest.raises(Unreachable, match="did not answer when taking the token"):
        provider.create(inputs(lab))
    taken = desk.tokens[NAME]
    assert opens(lab, taken)
    provider.create(inputs(lab))
    assert tokens(lab) == ["control-plane-1"]
    assert opens(lab, desk.tokens[NAME])
    assert not opens(lab, taken)


def test_a_deposit_without_an_answer_is_made_again_at_once(lab: "RunningLab", desk: CredentialDesk) -> None:
    """One lost answer is no failure."""
    desk.answers = [0]
    NodeAccessProvider().create(inputs(lab))
    assert desk.seen == [("PUT", NAME)] * 2
    assert opens(lab, desk.tokens[NAME])


def test_a_refused_deposit_leaves_no_token(
    lab: "RunningLab", desk: CredentialDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says which variable to look at."""
    monkeypatch.setenv("SLIPWAY_INVENTORY_TOKEN", "another")
    with pytest.raises(Refused, match="check SLIPWAY_INVENTORY_TOKEN"):
        NodeAccessProvider().create(inputs(lab))
    assert (tokens(lab), desk.tokens, len(desk.seen)) == ([], {}, 1)


def test_a_wrong_password_is_tried_once(
    lab: "RunningLab", desk: CredentialDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is asked of the control plane."""
    monkeypatch.setenv(VARIABLE, "not root's")
    with pytest.raises(AccessError, match=r"does not accept the password of root@pam.*One try was made"):
        NodeAccessProvider().create(inputs(lab))
    tickets = [path for _, path in lab.faults.proxmox.requests(NAME)[NAME] if path.endswith("/access/ticket")]
    assert (len(tickets), desk.seen) == (1, [])


@pytest.mark.parametrize("variable", [VARIABLE, "SLIPWAY_INVENTORY_URL", "SLIPWAY_INVENTORY_TOKEN"])
def test_a_missing_variable_is_named(
    lab: "RunningLab", desk: CredentialDesk, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Before anything is made."""
    monkeypatch.delenv(variable)
    with pytest.raises(AccessError, match=variable):
        NodeAccessProvider().create(inputs(lab))
    assert (tokens(lab), desk.seen) == ([], [])


def test_a_grant_changed_by_hand_is_seen_and_put_right(lab: "RunningLab", desk: CredentialDesk) -> None:
    """One more and one less; the token itself stays, and nobody is told."""
    provider = NodeAccessProvider()
    kept = create(lab)
    acl = lab.truth.node(NAME).access.acl
    acl.put(path="/", roles="Administrator", tokens=kept["token_id"])
    acl.put(path="/vms", roles="SlipwayGuests", tokens=kept["token_id"], delete=1)
    found = read(kept)
    assert found is not None
    assert provider.diff(NAME, found, inputs(lab)).changes
    provider.update(NAME, found, inputs(lab))
    assert read(kept) == kept
    assert len(desk.seen) == 1


def test_removing_goes_on_where_it_was_cut_off(lab: "RunningLab", desk: CredentialDesk) -> None:
    """Token, deposit or even the user may be gone already."""
    provider = NodeAccessProvider()
    kept = create(lab)
    lab.truth.node(NAME).access.users("slipway@pve").delete()
    desk.tokens.clear()
    provider.delete(NAME, kept)
    assert desk.seen[-1] == ("DELETE", NAME)


def test_what_cannot_be_is_refused_before_anything_exists(lab: "RunningLab", desk: CredentialDesk) -> None:
    """The field is named."""
    result = NodeAccessProvider().check({}, {**inputs(lab), "rotation": 0, "endpoint": "http://node"})
    assert {failure.property for failure in result.failures} == {"rotation", "endpoint"}
    assert desk.seen == []
