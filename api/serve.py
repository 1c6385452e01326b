"""The API process: ``uvicorn --factory api.serve:app``, configured by the environment (``api.settings.Settings``)."""

from fastapi import FastAPI

from api.app import create_app
from api.billing.stripe_gateway import StripeGateway
from api.db.session import connect
from api.jobs import CeleryJobQueue, make_celery
from api.logs import configure_logging
from api.redis import connect_redis
from api.runtime import Runtime
from api.settings import Settings
from api.state.store import StateStore
from api.tracing import configure_tracing
from api.vault import Vault


def app() -> FastAPI:
    """Build the application.

    Raises:
        pydantic.ValidationError: naming the settings that are missing or wrong.
        ValueError: if a master key is not a key.
    """
    configure_logging()
    configure_tracing("slipway-api")
    return create_app(build_runtime(Settings()))


def build_runtime(settings: Settings) -> Runtime:
    """Open the process's connections; nothing is sent yet, so this does not block."""
    redis_url = settings.redis_url.get_secret_value()
    return Runtime(
        settings=settings,
        database=connect(settings.database_url.get_secret_value(), role=settings.database_role),
        redis=connect_redis(redis_url),
        jobs=CeleryJobQueue(make_celery(redis_url)),
        payments=StripeGateway(settings),
        vault=Vault(settings.master_keys.get_secret_value()),
        states=StateStore(settings.state_database_url.get_secret_value()),
    )
