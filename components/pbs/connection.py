"""From the environment to one shared :class:`Pbs`."""

import threading
from functools import cache

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from components.pbs.client import Pbs
from components.pbs.errors import PbsError


class PbsSettings(BaseSettings):
    """Read from ``PBS_ENDPOINT``, ``PBS_USERNAME``, ``PBS_PASSWORD`` and ``PBS_FINGERPRINT``."""

    model_config = SettingsConfigDict(env_prefix="PBS_", frozen=True)

    endpoint: str = Field(pattern=r"^https://[^/]+/?$")
    username: str = "root@pam"
    password: SecretStr = Field(min_length=1)
    fingerprint: str | None = None


def pbs_settings() -> PbsSettings:
    """Read the settings.

    Raises:
        PbsError: names the variable that is missing or wrong.
    """
    try:
        return PbsSettings()
    except ValidationError as error:
        problems = [f"PBS_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors(include_input=False)]
        raise PbsError(f"set the backup server's login in the environment: {'; '.join(problems)}") from None


def shared_pbs(settings: PbsSettings) -> Pbs:
    """Return this process's one connection for these settings; sends nothing.

    Shared, because a refused login has to be known to everything in the process.
    """
    with _CONNECTING:  # the cache alone lets two threads make two
        return _connect(settings)


_CONNECTING = threading.Lock()


@cache
def _connect(settings: PbsSettings) -> Pbs:
    return Pbs(settings.endpoint, settings.username, settings.password.get_secret_value(), settings.fingerprint)
