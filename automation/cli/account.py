"""``slipway register``, ``login``, ``logout`` and ``ssh-keys``."""

import os
import socket
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.credentials import Credentials, CredentialStore
from automation.cli.errors import ApiError, CliError
from automation.cli.output import print_json, row, stdout, table
from components.specs import SshPublicKey

SCOPES = (
    "account",
    "keys:read",
    "keys:write",
    "orders:read",
    "orders:write",
    "workloads:read",
    "workloads:write",
)
"""What the command line's own token may do: all that its verbs need."""
STAFF_SCOPES = (*SCOPES, "admin", "inventory:read", "inventory:sync")
"""Staff's verbs need more."""

Email = Annotated[str, typer.Option("--email", prompt=True, help="Your email address.")]
ApiUrl = Annotated[str | None, typer.Option("--api-url", envvar="SLIPWAY_API_URL", help="Where the API is.")]
ssh_keys = typer.Typer(help="The SSH keys that new servers can be given.", no_args_is_help=True)


def register(email: Email, api_url: ApiUrl = None) -> None:
    """Open an account and log in. The password is asked for, or read from SLIPWAY_PASSWORD."""
    password = _password(confirm=True)
    with _anonymous(api_url) as client:
        client.post("/auth/register", {"email": email, "password": password})
        _log_in(client, email, password)


def login(email: Email, api_url: ApiUrl = None) -> None:
    """Log in: stores a token for the other commands. The password is asked for, or read from SLIPWAY_PASSWORD."""
    with _anonymous(api_url) as client:
        _log_in(client, email, _password(confirm=False))


def logout() -> None:
    """Revoke the stored token and forget it."""
    store = CredentialStore()
    credentials = store.load({})
    if credentials.token is None:
        raise CliError("nobody is logged in here")
    try:
        with ApiClient(credentials) as client:
            client.delete(f"/tokens/{credentials.token_id}")
    except ApiError as error:
        if error.code not in {"unauthenticated", "not_found"}:  # gone already
            raise
    store.forget()
    stdout().print("Logged out.")


@ssh_keys.command("list")
def list_keys(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List your SSH keys."""
    with connect() as client:
        keys = list(client.pages("/ssh-keys"))
    if as_json:
        print_json(keys)
        return
    shown = table("NAME", "FINGERPRINT")
    for key in keys:
        row(shown, key["name"], key["fingerprint"])
    stdout().print(shown)


@ssh_keys.command("add")
def add_key(
    name: str, file: Annotated[Path, typer.Argument(help="A public key, such as ~/.ssh/id_ed25519.pub.")]
) -> None:
    """Add an SSH key."""
    with connect() as client:
        key = client.post("/ssh-keys", {"name": name, "public_key": read_public_key(file)})
    stdout().print(f"Added {escape(key['name'])}, {escape(key['fingerprint'])}.")


@ssh_keys.command("remove")
def remove_key(name: str) -> None:
    """Remove an SSH key; servers that were made with it keep it."""
    with connect() as client:
        found = find_key(client, name)
        if found is None:
            raise CliError(f"there is no SSH key named '{name}': see `slipway ssh-keys list`")
        client.delete(f"/ssh-keys/{found['id']}")
    stdout().print(f"Removed {escape(name)}.")


def key_name(client: ApiClient, name_or_file: str) -> str:
    """The name of a key of the account; a file is added to the account first, unless it is there.

    Raises:
        CliError: if it is neither.
    """
    if find_key(client, name_or_file) is not None:
        return name_or_file
    path = Path(name_or_file).expanduser()
    if not path.is_file():
        raise CliError(f"--ssh-key: '{name_or_file}' is neither the name of a key of yours nor a file")
    public_key = read_public_key(path)
    body = public_key.split()[1]
    for key in client.pages("/ssh-keys"):
        if body in key["public_key"].split():
            return str(key["name"])
    name = path.name.removesuffix(".pub")
    if find_key(client, name) is not None:
        raise CliError(f"another key of yours is named '{name}': add it with `slipway ssh-keys add NAME {path}`")
    return str(client.post("/ssh-keys", {"name": name, "public_key": public_key})["name"])


def find_key(client: ApiClient, name: str) -> Json | None:
    """The account's key of that name."""
    return next((key for key in client.pages("/ssh-keys") if key["name"] == name), None)


def read_public_key(path: Path) -> str:
    """Read a public key, and refuse anything else: a private key or a stray file must not leave this machine.

    Raises:
        CliError: if it cannot be read or is no public key.
    """
    try:
        text = path.expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{path} cannot be read: {error}") from error
    if "PRIVATE KEY" in text:
        raise CliError(f"{path} is a private key: give the public one, {path}.pub")
    try:
        return TypeAdapter(SshPublicKey).validate_python(text.strip())
    except ValidationError as error:
        raise CliError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _log_in(client: ApiClient, email: str, password: str) -> None:
    """Exchange the password for a token of this machine's own; the session is closed again."""
    session = client.post("/auth/login", {"email": email, "password": password})
    csrf = {"X-CSRF-Token": session["csrf_token"]}
    scopes = SCOPES if session["account"]["role"] == "customer" else STAFF_SCOPES
    token = client.post("/tokens", {"name": f"slipway on {socket.gethostname()}", "scopes": scopes}, csrf)
    client.post("/auth/logout", headers=csrf)
    CredentialStore().save(Credentials(client.url, token["token"], token["id"]))
    stdout().print(f"Logged in to {escape(client.url)} as {escape(session['account']['email'])}.")


def _anonymous(api_url: str | None) -> ApiClient:
    url = api_url or CredentialStore().load().api_url
    return ApiClient(Credentials(url.rstrip("/")))


def _password(*, confirm: bool) -> str:
    given = os.environ.get("SLIPWAY_PASSWORD")
    return given or typer.prompt("Password", hide_input=True, confirmation_prompt=confirm, type=str)
