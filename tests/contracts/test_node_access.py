"""``proxmoxer`` makes users, roles, grants and tokens on a node as it would on Proxmox VE, and they then hold."""

from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ProxmoxAPI, ResourceException

if TYPE_CHECKING:
    from lab.client import RunningLab

USER, ROLE = "somebody@pve", "Cloner"


@pytest.fixture
def cloud(lab: "RunningLab") -> ProxmoxAPI:
    """An administrator of a cloud node."""
    return lab.truth.node("cloud-1")


def made(lab: "RunningLab", api: ProxmoxAPI, **settings: Any) -> ProxmoxAPI:
    """A user, a token of his, and a client with it."""
    from lab.truth import proxmox_client  # noqa: PLC0415 - the SDKs are imported by tests of the lab only

    api.access.users.post(userid=USER)
    token = api.access.users(USER).token("worker").post(**settings)
    entry = next(item for item in lab.document.proxmox.nodes if item.name == "cloud-1")
    known = entry.model_copy(update={"api_token": f"{token['full-tokenid']}={token['value']}"})
    return proxmox_client(known, lab.document.proxmox.ca_file)


def grant(api: ProxmoxAPI, path: str, **who: Any) -> None:
    """Grant the role that may clone."""
    if ROLE not in {item["roleid"] for item in api.access.roles.get()}:
        api.access.roles.post(roleid=ROLE, privs="VM.Clone,VM.Audit,VM.Allocate,Datastore.AllocateSpace")
    api.access.acl.put(path=path, roles=ROLE, **who)


def test_a_token_opens_the_api_and_is_refused_what_was_not_granted(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """Without a grant it can log in and see nothing; with one it clones; power was not in the role."""
    stranger = made(lab, cloud, privsep=0)
    assert stranger.cluster.resources.get(type="vm") == []
    with pytest.raises(ResourceException, match="403"):
        stranger.nodes("cloud-1").qemu(9000).clone.post(newid=1000)
    grant(cloud, "/", users=USER)
    stranger.nodes("cloud-1").qemu(9000).clone.post(newid=1000)
    with pytest.raises(ResourceException, match=r"403.*VM\.PowerMgmt"):
        stranger.nodes("cloud-1").qemu(1000).status.start.post()
    assert stranger.access.permissions.get()["/"] == {
        "Datastore.AllocateSpace": 1,
        "VM.Allocate": 1,
        "VM.Audit": 1,
        "VM.Clone": 1,
    }


def test_a_token_with_privileges_of_its_own_has_what_both_have(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """The user's grant alone is not the token's, nor the token's alone."""
    token = made(lab, cloud, privsep=1)
    grant(cloud, "/", users=USER)
    assert token.access.permissions.get() == {}
    grant(cloud, "/vms", tokens=f"{USER}!worker")
    assert set(token.access.permissions.get()) == {"/vms"}
    cloud.access.acl.put(path="/", roles=ROLE, users=USER, delete=1)
    assert token.access.permissions.get() == {}


def test_what_is_said_of_a_deeper_path_holds_there(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """One machine is left out of a grant on all."""
    token = made(lab, cloud, privsep=0)
    grant(cloud, "/", users=USER)
    cloud.access.acl.put(path="/vms/9001", roles="NoAccess", users=USER)
    token.nodes("cloud-1").qemu(9000).config.get()
    with pytest.raises(ResourceException, match="403"):
        token.nodes("cloud-1").qemu(9001).config.get()


def test_a_user_takes_tokens_and_grants_along(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """The token no longer opens anything."""
    token = made(lab, cloud, privsep=0)
    grant(cloud, "/", users=USER)
    assert token.nodes.get()
    cloud.access.users(USER).delete()
    with pytest.raises(ResourceException, match="401"):
        token.nodes.get()
    assert [item["ugid"] for item in cloud.access.acl.get()] == ["lab@pve"]


def test_a_role_takes_its_grants_along(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """Proxmox VE ignores a grant of a role that is gone."""
    token = made(lab, cloud, privsep=0)
    grant(cloud, "/", users=USER)
    cloud.access.roles(ROLE).delete()
    assert token.access.permissions.get() == {}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda api: api.access.users("nobody@pve").get(), r"no such user \('nobody@pve'\)"),
        (lambda api: api.access.users("nobody@pve").delete(), r"delete user failed: no such user"),
        (lambda api: api.access.users.post(userid="root@pam"), r"user 'root@pam' already exists"),
        (lambda api: api.access.users("root@pam").token("gone").get(), r"no such token 'gone' for user 'root@pam'"),
        (lambda api: api.access.users("lab@pve").token("lab").post(), r"Token already exists"),
        (lambda api: api.access.roles("gone").get(), r"role 'gone' does not exist"),
        (lambda api: api.access.roles.post(roleid="PVEMine"), r"cannot use role ID"),
        (lambda api: api.access.roles.post(roleid="Mine", privs="VM.Fly"), r"invalid privilege 'VM.Fly'"),
        (lambda api: api.access.roles("Administrator").delete(), r"auto-generated role"),
        (lambda api: api.access.acl.put(path="/", roles="gone", users="root@pam"), r"role 'gone' does not exist"),
        (lambda api: api.access.acl.put(path="/", roles="NoAccess", users="x@pve"), r"user 'x@pve' does not exist"),
        (lambda api: api.access.acl.put(path="/moon", roles="NoAccess", users="root@pam"), r"invalid ACL path"),
        (lambda api: api.access.acl.put(path="/", roles="NoAccess"), r"either 'users', 'groups' or 'tokens'"),
        (lambda api: api.cluster.metrics.server("gone").get(), r"status server entry 'gone' does not exist"),
        (lambda api: api.cluster.metrics.server("gone").put(server="x", port=1), r"no such server 'gone'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_proxmox_s_words(cloud: ProxmoxAPI, call: Any, message: str) -> None:
    """Recovery and the provider look for these."""
    with pytest.raises(ResourceException, match=message):
        call(cloud)


def test_a_metric_server_is_kept_changed_and_removed(cloud: ProxmoxAPI) -> None:
    """Numbers and switches come back as numbers."""
    server = cloud.cluster.metrics.server("graphs")
    server.post(type="graphite", server="10.10.2.11", port=2003, proto="tcp")
    with pytest.raises(ResourceException, match="already exists"):
        server.post(type="graphite", server="10.10.2.11", port=2003)
    server.put(server="10.10.2.12", port=2004, disable=1, delete="proto")
    assert server.get() == {"type": "graphite", "server": "10.10.2.12", "port": 2004, "disable": 1}
    assert [item["id"] for item in cloud.cluster.metrics.server.get()] == ["graphs"]
    server.delete()
    assert cloud.cluster.metrics.server.get() == []


def test_an_installation_has_nothing_that_somebody_would_have_set_up(lab: "RunningLab", cloud: ProxmoxAPI) -> None:
    """Not even the storage for guests; whatever was made before is gone."""
    made(lab, cloud)
    assert set(lab.truth.node_leftovers("cloud-1")) == {"guests", "storages", "users"}
    lab.faults.proxmox.install("cloud-1")
    assert lab.truth.node_leftovers("cloud-1") == {}
    cloud.storage.post(storage="local-lvm", type="lvmthin", vgname="pve", thinpool="data")
    free = cloud.nodes("cloud-1").storage("local-lvm").status.get()["avail"]
    assert free == 2_000 * 1024**3
