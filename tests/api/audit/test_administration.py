"""What people do to their accounts, and operators to estate and catalogue, is recorded; secrets never are."""

import json
from typing import Any

from sqlalchemy import text

from api.catalogue.seed import CatalogueDocument, load_catalogue, seed_catalogue
from api.db.session import Database
from api.vault import Vault, generate_key
from tests.factories.estate import estate, stock
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.tenants import new_public_key
from tests.fixtures.trail import records


def test_accounts_tokens_and_keys_are_recorded_without_their_secrets(api: Api) -> None:
    """Each making and each end, by the account that it is of."""
    ada = api.customer()
    secret = ada.http.post("/v1/tokens", json={"name": "ci", "scopes": ["keys:read"]}).json()
    ada.http.delete(f"/v1/tokens/{secret['id']}").raise_for_status()
    key = ada.http.post("/v1/ssh-keys", json={"name": "laptop", "public_key": new_public_key()}).json()
    ada.http.delete(f"/v1/ssh-keys/{key['id']}").raise_for_status()
    passwords = {"current_password": PASSWORD, "new_password": f"{PASSWORD} 2"}
    ada.http.put("/v1/me/password", json=passwords).raise_for_status()
    found = records(api.runtime.database)
    assert [(one.action, one.subject_id) for one in found] == [
        ("account.create", str(ada.id)),
        ("api_token.create", secret["id"]),
        ("api_token.revoke", secret["id"]),
        ("ssh_key.add", key["id"]),
        ("ssh_key.delete", key["id"]),
        ("account.password", str(ada.id)),
    ]
    assert {(one.actor_id, one.actor_name) for one in found} == {(ada.id, "customer")}
    told = json.dumps([[one.reason, one.diff] for one in found])
    assert not any(hidden in told for hidden in (secret["token"], PASSWORD, ada.email))


def _stocked(database: Database, vault: Vault, **changes: Any) -> list[dict[str, Any] | None]:
    """Import the estate with another first node, and return what was recorded of imports so far."""
    document = estate()
    document["nodes"] = [{**document["nodes"][0], **changes}, *document["nodes"][1:]]
    stock(database, vault, document)
    return [one.diff for one in records(database) if one.action == "estate.import"]


def test_an_import_records_what_it_changed_and_an_idle_one_nothing(database: Database) -> None:
    """New things with all their facts, others with what is different; a new credential is told, not shown."""
    vault = Vault(generate_key())
    (first,) = _stocked(database, vault)
    node = f"node {estate()['nodes'][0]['name']}"
    assert first is not None
    assert first[node]["api_token"] == "[secret]"
    assert first[node]["total_cores"]["before"] is None
    assert len(_stocked(database, vault)) == 1
    diffs = _stocked(
        database, vault, api_token="slipway@pve!new=00000000-0000-0000-0000-000000000000", verify_tls=False
    )
    verify_tls = {"before": estate()["nodes"][0].get("verify_tls", True), "after": False}
    assert diffs[1:] == [{node: {"api_token": "[secret]", "verify_tls": verify_tls}}]


def test_a_new_price_is_recorded_and_the_same_catalogue_is_not(database: Database) -> None:
    """In cents, before and after."""
    shipped = load_catalogue().model_dump(mode="json")
    size = shipped["products"][0]["sizes"][0]
    for price in (size["price_cents"], size["price_cents"], size["price_cents"] + 100):
        size["price_cents"] = price
        with database.transaction() as transaction:
            seed_catalogue(transaction.session, CatalogueDocument.model_validate(shipped))
    first, second = [one.diff for one in records(database) if one.action == "catalogue.seed"]
    name = f"size {shipped['products'][0]['slug']} {size['slug']}"
    assert first is not None
    assert second == {name: {"price_cents": {"before": price - 100, "after": price}}}


def test_what_is_refused_is_not_recorded(api: Api) -> None:
    """A name that is taken adds nothing, neither to the keys nor to the trail."""
    ada = api.customer()
    body = {"name": "laptop", "public_key": new_public_key()}
    ada.http.post("/v1/ssh-keys", json=body).raise_for_status()
    assert ada.http.post("/v1/ssh-keys", json=body).is_client_error
    with api.runtime.database.transaction() as transaction:
        found = transaction.session.execute(text("SELECT count(*) FROM audit_records WHERE action LIKE 'ssh_key%'"))
        assert found.scalar_one() == 1
