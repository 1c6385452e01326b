"""From the environment to one shared :class:`Robot`."""

import threading
import time
from functools import cache

import httpx
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from components.robot.budget import RequestBudget
from components.robot.client import TIMEOUT, Robot
from components.robot.errors import RobotError


class RobotSettings(BaseSettings):
    """Read from ``HETZNER_ROBOT_URL``, ``_USER``, ``_PASSWORD`` and ``_POLL_SECONDS``.

    Attributes:
        poll_seconds: the first pause while Robot is at work; later ones are longer.
    """

    model_config = SettingsConfigDict(env_prefix="HETZNER_ROBOT_", frozen=True)

    url: str = "https://robot-ws.your-server.de"
    user: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    poll_seconds: float = Field(default=3.0, gt=0)


def robot_settings() -> RobotSettings:
    """Read the settings.

    Raises:
        RobotError: names the variable that is missing or wrong.
    """
    try:
        return RobotSettings()
    except ValidationError as error:
        problems = [f"HETZNER_ROBOT_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise RobotError(f"set Robot's login in the environment: {'; '.join(problems)}") from None


def shared_robot(settings: RobotSettings) -> Robot:
    """Return this process's one connection for these settings. Sends nothing.

    Shared by everything in the process, because refused credentials and used-up requests have to be known to all of it.
    """
    with _CONNECTING:  # the cache alone lets two threads make two, and each would try the login
        return _connect(settings)


_CONNECTING = threading.Lock()


@cache
def _connect(settings: RobotSettings) -> Robot:
    credentials = httpx.BasicAuth(settings.user, settings.password.get_secret_value())
    return Robot(httpx.Client(base_url=settings.url, auth=credentials, timeout=TIMEOUT), RequestBudget(time.monotonic))
