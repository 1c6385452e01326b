"""What a new system needs before its first order: databases, schema, catalogue, estate, an administrator, a webhook."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stripe
from pydantic import ValidationError
from sqlalchemy import func, select

from api.audit.trail import OPERATOR_SHELL, AuditEntry, record
from api.auth.accounts import Accounts
from api.auth.authentication import Authenticator
from api.auth.caller import Principal, Via
from api.auth.fields import normalise_email
from api.auth.models import Role, User
from api.auth.passwords import Passwords
from api.auth.scopes import Scope, scopes_of
from api.auth.tokens import ApiTokens
from api.catalogue.seed import CatalogueDocument, load_catalogue, seed_catalogue
from api.db.migrate import migrate
from api.db.session import Database
from api.inventory.estate import EstateDocument, EstateImport
from api.vault import Vault
from automation.embedded.errors import EstateError


def prepare_database(database: Database, *, currency: str = "eur", catalogue: CatalogueDocument | None = None) -> None:
    """Bring schema and catalogue to this version; safe to repeat, waits for another process that does the same."""
    migrate(database)
    with database.transaction() as transaction:
        seed_catalogue(transaction.session, catalogue or load_catalogue(), currency)


def import_estate(database: Database, vault: Vault, path: Path) -> EstateDocument:
    """Import an estate document from a JSON file; safe to repeat.

    Raises:
        EstateError: if the file cannot be read, naming the field.
        api.errors.InvalidInput: if it contradicts itself or the database.
    """
    try:
        document = EstateDocument.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EstateError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]  # the input may be a credential
        raise EstateError(f"{path}: {'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}") from None
    with database.transaction() as transaction:
        EstateImport(transaction.session, vault).apply(document)
    return document


def ensure_administrator(database: Database, email: str, password: str) -> bool:
    """Create an administrator unless the account exists; True if it was made. An existing password is left alone."""
    address = normalise_email(email)
    encoded = Passwords().hash(password)
    with database.transaction() as transaction:
        if transaction.session.scalar(select(User.id).where(func.lower(User.email) == address)) is not None:
            return False
        made = Accounts(transaction.session).add(address, encoded, Role.ADMIN)
        reason = "the first start made an administrator"
        entry = AuditEntry(
            action="account.create", actor=OPERATOR_SHELL, subject_type="account", subject_id=made.id, reason=reason
        )
        record(transaction.session, entry)
    return True


def ensure_inventory_token(database: Database, email: str, kept: str | None) -> str:
    """Return a token of the administrator's with which platform stacks report: ``kept``, if that is still good."""
    with database.transaction() as transaction:
        session = transaction.session
        caller = Authenticator(session).by_token(kept) if kept else None
        if kept and caller is not None and Scope.INVENTORY_SYNC in caller.principal.scopes:
            return kept
        owner = session.scalars(select(User).where(func.lower(User.email) == normalise_email(email))).one()
        creator = Principal(owner.id, owner.email, owner.role, scopes_of(owner.role), Via.SESSION, owner.id, None)
        name = "platform stacks of this system"
        return ApiTokens(session, owner.id).create(creator, name, [Scope.INVENTORY_SYNC], None)[1]


def register_webhook(settings: Mapping[str, str], api_url: str) -> None:
    """Have the lab's Stripe deliver events to our API, once; a real account's endpoint is its owner's to make.

    Raises:
        stripe.StripeError: if the lab's Stripe does not answer.
    """
    client = stripe.StripeClient(
        settings["SLIPWAY_STRIPE_SECRET_KEY"],
        base_addresses={"api": settings["SLIPWAY_STRIPE_API_BASE"]},
        http_client=stripe.RequestsClient(),
    )
    url = f"{api_url}/v1/stripe/webhook"
    if all(endpoint.url != url for endpoint in client.v1.webhook_endpoints.list().data):
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file of ours."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document
