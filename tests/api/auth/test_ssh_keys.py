"""SSH keys: through HTTP, on real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.auth.ssh_keys import fingerprint_of
from tests.fixtures.api import Api
from tests.fixtures.tenants import new_public_key

# Made by `ssh-keygen -t ed25519`, its fingerprint printed by `ssh-keygen -lf`.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBMIjzGPxoNcBsEMFhNpWYA9LJbqRE0QCOXtoIrm+Y0M me@example.com"


def _add(client: httpx.Client, name: str, public_key: str) -> httpx.Response:
    return client.post("/v1/ssh-keys", json={"name": name, "public_key": public_key})


def test_a_key_is_listed_with_its_fingerprint_until_it_is_deleted(api: Api) -> None:
    """It is stored on one line, as sent."""
    client = api.customer().http
    added = _add(client, "laptop", f"  {KEY} ").raise_for_status().json()

    assert (added["public_key"], added["fingerprint"]) == (KEY, fingerprint_of(KEY))
    assert client.get("/v1/ssh-keys").json()["items"] == [added]
    assert client.delete(f"/v1/ssh-keys/{added['id']}").status_code == 204
    assert client.get("/v1/ssh-keys").json()["items"] == []
    assert client.delete(f"/v1/ssh-keys/{added['id']}").status_code == 404


def test_a_name_and_a_key_are_there_once_in_an_account(api: Api) -> None:
    """The conflict says which of the two it is; other accounts are not affected."""
    client = api.customer().http
    _add(client, "laptop", KEY).raise_for_status()

    same_name, same_key = _add(client, "laptop", new_public_key()), _add(client, "desktop", KEY)
    assert (same_name.status_code, same_key.status_code) == (409, 409)
    assert "'name'" in same_name.json()["detail"]
    assert "'public_key'" in same_key.json()["detail"]
    assert _add(api.customer().http, "laptop", KEY).status_code == 201


def test_a_double_click_adds_a_key_once(api: Api) -> None:
    """The others are conflicts, not errors of ours."""
    client = api.customer().token_client()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _add(client, "laptop", KEY).status_code, range(6)))

    assert sorted(answers) == [201, *[409] * 5]


@pytest.mark.parametrize(
    "public_key",
    [
        "",
        "ssh-ed25519",
        KEY.replace(" me@", "\n  - sudo: ALL\n#"),
        KEY + "\nssh_pwauth: true",
        KEY + '", "runcmd: [id]',
        "ssh-dss " + KEY.split()[1],
        "ssh-rsa " + KEY.split()[1],
        "command=/bin/sh " + KEY,
        KEY.replace("AAAA", "ÄÄÄÄ"),
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "ssh-ed25519 " + "A" * 20_000,
    ],
)
def test_what_is_no_public_key_is_refused(api: Api, public_key: str) -> None:
    """Newlines, YAML, options and private keys among them; the answer does not repeat what was sent."""
    answer = _add(api.customer().http, "laptop", public_key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "public_key"
    assert "PRIVATE" not in answer.text
    assert "runcmd" not in answer.text
