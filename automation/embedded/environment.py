"""The environment that the API, worker and beat get, put together from what is given and what is embedded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from api.settings import Settings, WorkerSettings
from automation.embedded.errors import EmbeddedError

MIGRATION_DATABASE_URL = "MIGRATION_DATABASE_URL"
"""The owner's login, where API and worker have a lesser one in ``DATABASE_URL``."""

HINTS: Mapping[str, str] = MappingProxyType(
    {
        "DATABASE_URL": "PostgreSQL's address, postgresql://user:password@host:5432/slipway",
        "REDIS_URL": "Redis' address, redis://host:6379/0",
        "SLIPWAY_STATE_DATABASE_URL": "the database for Pulumi's state, postgresql://…/slipway-state; never the first",
        "SLIPWAY_MASTER_KEYS": "a key that wraps stored credentials; `slipway keys generate` makes one",
        "SLIPWAY_PUBLIC_URL": "where customers reach the API, https://…",
        "SLIPWAY_STRIPE_SECRET_KEY": "Stripe's dashboard, Developers, API keys: the secret key, sk_…",
        "SLIPWAY_STRIPE_WEBHOOK_SECRETS": "the signing secret, whsec_…, of a Stripe webhook endpoint for "
        "<SLIPWAY_PUBLIC_URL>/v1/stripe/webhook",
        "SLIPWAY_CLOUDFLARE_API_TOKEN": "a Cloudflare API token that may edit the DNS of your zone",
        "SLIPWAY_WORK_ROOT": "a private folder for the engine's work files",
    }
)
"""Where to get each setting that has no default."""

MADE_HERE = frozenset(
    {
        "DATABASE_URL",
        "REDIS_URL",
        "SLIPWAY_STATE_DATABASE_URL",
        "SLIPWAY_MASTER_KEYS",
        "SLIPWAY_PUBLIC_URL",
        "SLIPWAY_WORK_ROOT",
    }
)
"""What an embedded system supplies where it is not given."""

PLATFORM_PASSPHRASE, INVENTORY_TOKEN = "SLIPWAY_PLATFORM_PASSPHRASE", "SLIPWAY_INVENTORY_TOKEN"
"""What the engine needs for the platform stacks; kept among the secrets of a system."""

_LAB_SETTINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "SLIPWAY_STRIPE_SECRET_KEY": ("stripe", "secret_key"),
        "SLIPWAY_STRIPE_WEBHOOK_SECRETS": ("stripe", "webhook_secret"),
        "SLIPWAY_STRIPE_API_BASE": ("stripe", "base_url"),
        "SLIPWAY_CLOUDFLARE_API_TOKEN": ("cloudflare", "api_token"),
        "SLIPWAY_CLOUDFLARE_BASE_URL": ("cloudflare", "base_url"),
    }
)
MADE_BY_LAB = frozenset(_LAB_SETTINGS)
"""What a lab supplies, whatever is given: real accounts and stand-ins must not be mixed."""

_STORES = frozenset({"DATABASE_URL", MIGRATION_DATABASE_URL, "REDIS_URL"})
_MISSING = "is missing"


@dataclass(frozen=True)
class SettingProblem:
    """A setting that is missing or wrong, by the name of its environment variable."""

    variable: str
    problem: str
    hint: str

    @property
    def is_missing(self) -> bool:
        """Whether there is no value at all."""
        return self.problem == _MISSING

    def __str__(self) -> str:
        return f"{self.variable} {self.problem}" + (f" ({self.hint})" if self.hint else "")


class SettingsError(EmbeddedError):
    """Settings are missing or wrong; the message names each."""

    def __init__(self, problems: list[SettingProblem]) -> None:
        super().__init__(
            "These settings have to be right in the environment:\n" + "\n".join(f"  {p}" for p in problems)
        )
        self.problems = problems


def settings_problems(environment: Mapping[str, str]) -> list[SettingProblem]:
    """What keeps an API and a worker from starting with this environment; no value is ever shown."""
    try:
        worker_settings(environment)
    except ValidationError as error:
        return [_problem(dict(item)) for item in error.errors(include_input=False, include_url=False)]
    return []


def worker_settings(environment: Mapping[str, str]) -> WorkerSettings:
    """Read a worker's settings from this environment instead of the process's own.

    Raises:
        pydantic.ValidationError: naming what is missing or wrong.
    """
    given = {
        field: environment[variable]
        for field, variable in _variables(WorkerSettings).items()
        if environment.get(variable)
    }
    return WorkerSettings(**_untyped(given))


def check_settings(environment: Mapping[str, str], supplied: Collection[str] = ()) -> None:
    """Refuse an environment with which the services could not start.

    Args:
        environment: what is given.
        supplied: variables that may be missing, because the caller will add them.

    Raises:
        SettingsError: naming each variable and where to get it.
    """
    problems = [
        problem
        for problem in settings_problems(environment)
        if not (problem.is_missing and problem.variable in supplied)
    ]
    if problems:
        raise SettingsError(problems)


def lab_settings(document: Mapping[str, Any]) -> dict[str, str]:
    """The settings that point at a lab, from its ``lab.json``."""
    return {variable: document[section][name] for variable, (section, name) in _LAB_SETTINGS.items()}


def local_settings(
    environment: Mapping[str, str], *, api_url: str, work_root: Path, platform_file: Path
) -> dict[str, str]:
    """What follows from running on this machine, unless the environment says otherwise."""
    public_url = environment.get("SLIPWAY_PUBLIC_URL") or api_url
    defaults = {
        "SLIPWAY_PUBLIC_URL": public_url,
        "SLIPWAY_WORK_ROOT": str(work_root),
        "SLIPWAY_PLATFORM_ENVIRONMENT_FILE": str(platform_file),
        # A browser never sends a Secure cookie over plain HTTP.
        "SLIPWAY_SECURE_COOKIES": "true" if public_url.startswith("https://") else "false",
    }
    return {name: environment.get(name) or value for name, value in defaults.items()}


def for_worker(settings: Mapping[str, str]) -> dict[str, str]:
    """What worker and beat get: neither the administrator's password nor the login that owns the tables."""
    return {
        name: value
        for name, value in settings.items()
        if not name.startswith("SLIPWAY_ADMIN_") and name != MIGRATION_DATABASE_URL
    }


def for_api(settings: Mapping[str, str]) -> dict[str, str]:
    """What the API gets: no credential that only a worker needs, so that a hole in the API does not give it away."""
    workers_own = set(_variables(WorkerSettings).values()) - set(_variables(Settings).values())
    not_its_own = {*workers_own, PLATFORM_PASSPHRASE, INVENTORY_TOKEN}
    return {name: value for name, value in for_worker(settings).items() if name not in not_its_own}


def for_boot(settings: Mapping[str, str]) -> dict[str, str]:
    """What the boot service gets: the database, the keys that seal what machines prove, and its own settings."""
    its_own = {"DATABASE_URL", "SLIPWAY_DATABASE_ROLE", "SLIPWAY_MASTER_KEYS"}
    return {
        name: value
        for name, value in settings.items()
        if name in its_own or name.startswith("SLIPWAY_PXE_") or not (name.startswith("SLIPWAY_") or name in _STORES)
    }


def for_platform(settings: Mapping[str, str], api_url: str) -> dict[str, str]:
    """What the engine needs for the platform stacks besides credentials of the outside world."""
    return {
        "PULUMI_BACKEND_URL": settings["SLIPWAY_STATE_DATABASE_URL"],
        "PULUMI_CONFIG_PASSPHRASE": settings[PLATFORM_PASSPHRASE],
        "SLIPWAY_STATE_DATABASE_URL": settings["SLIPWAY_STATE_DATABASE_URL"],
        "SLIPWAY_INVENTORY_URL": api_url,
        INVENTORY_TOKEN: settings[INVENTORY_TOKEN],
    }


def for_servers(environment: Mapping[str, str]) -> dict[str, str]:
    """What PostgreSQL and Redis get: the environment without any setting of ours."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("SLIPWAY_") and name not in {"DATABASE_URL", MIGRATION_DATABASE_URL, "REDIS_URL"}
    }


def _variables(settings: type[Settings]) -> dict[str, str]:
    """The environment variable of each field."""
    return {
        name: str(field.validation_alias or f"SLIPWAY_{name.upper()}") for name, field in settings.model_fields.items()
    }


def _problem(error: Mapping[str, Any]) -> SettingProblem:
    place = str(error["loc"][0])
    variable = _variables(WorkerSettings).get(place, place)
    problem = _MISSING if error["type"] == "missing" else f"is wrong: {error['msg']}"
    return SettingProblem(variable, problem, HINTS.get(variable, ""))


def _untyped(values: dict[str, str]) -> dict[str, Any]:
    """Text, as the environment has it: the settings class turns it into its own types."""
    return dict(values)
