"""What an API process is made of: built once at the edge, handed to the routes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis import Redis
from sqlalchemy.orm import Session

from api.billing.gateway import PaymentGateway
from api.db.session import Database, Transaction
from api.jobs import JobQueue
from api.settings import Settings
from api.state.store import StackStates
from api.vault import Vault


@dataclass(frozen=True)
class Runtime:
    """The process's long-lived parts; tests build it with fakes at the true edges (payments, jobs)."""

    settings: Settings
    database: Database
    redis: Redis
    jobs: JobQueue
    payments: PaymentGateway
    vault: Vault
    states: StackStates


async def get_runtime(request: Request) -> Runtime:
    """Return the runtime that ``create_app`` was given. Asynchronous only to save a trip to the thread pool."""
    runtime = request.app.state.runtime
    if not isinstance(runtime, Runtime):
        raise TypeError("app.state.runtime is not a Runtime: build the app with create_app")
    return runtime


RuntimeDep = Annotated[Runtime, Depends(get_runtime)]


def get_transaction(runtime: RuntimeDep) -> Iterator[Transaction]:
    """Open the request's transaction and commit it before the response leaves."""
    with runtime.database.transaction() as transaction:
        yield transaction


TransactionDep = Annotated[Transaction, Depends(get_transaction, scope="function")]
"""``scope="function"``: since FastAPI 0.118 a plain ``yield`` dependency would commit after the response."""


async def get_session(transaction: TransactionDep) -> Session:
    """Return the session of the request's transaction."""
    return transaction.session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]
