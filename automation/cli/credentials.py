"""Which API to speak to, and the token for it: from the environment, or as ``slipway login`` stored them."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from platformdirs import user_config_path

from automation.cli.errors import CliError

DEFAULT_API_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Credentials:
    """An API's address and a token for it; ``token_id`` is known where ``slipway login`` made the token."""

    api_url: str
    token: str | None = None
    token_id: str | None = None


class CredentialStore:
    """The file that holds the login, readable by its owner only."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("slipway") / "credentials.json"

    def load(self, environment: Mapping[str, str] = os.environ) -> Credentials:
        """Return what to use; ``SLIPWAY_API_URL`` and ``SLIPWAY_TOKEN`` go before what is stored.

        A stored token is never sent to another address than the one it was made for.

        Raises:
            CliError: if the file cannot be read.
        """
        stored = self._read()
        url = environment.get("SLIPWAY_API_URL") or stored.api_url
        if environment.get("SLIPWAY_TOKEN"):
            return Credentials(url.rstrip("/"), environment["SLIPWAY_TOKEN"])
        return stored if url.rstrip("/") == stored.api_url else Credentials(url.rstrip("/"))

    def save(self, credentials: Credentials) -> None:
        """Store a login with mode 0600, in one step."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".credentials.")  # mkstemp makes it 0600
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(credentials), file)
        Path(name).replace(self.path)

    def forget(self) -> None:
        """Remove the stored login."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> Credentials:
        try:
            return Credentials(**json.loads(self.path.read_text()))
        except FileNotFoundError:
            return Credentials(DEFAULT_API_URL)
        except (OSError, ValueError, TypeError) as error:
            raise CliError(f"{self.path} cannot be read ({error}): remove it and run `slipway login`") from error
