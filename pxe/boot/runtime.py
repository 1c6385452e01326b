"""What a boot service process is made of, and how its routes work with the database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.db.session import Database
from api.errors import SlipwayError
from api.vault import Vault
from pxe.boot.files import FileServer
from pxe.boot.settings import BootSettings
from pxe.boot.store import ImageStore

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class BootRuntime:
    """The process's long-lived parts; whoever makes it closes the database."""

    settings: BootSettings
    database: Database
    vault: Vault
    store: ImageStore
    files: FileServer

    async def settle(self, action: Callable[[Session], Answer | SlipwayError]) -> Answer:
        """Do something in a transaction, in a thread. A refusal that it returns is committed, and raised afterwards.

        Raises:
            SlipwayError: what the action returned or raised.
        """
        answer: Answer | SlipwayError = await run_in_threadpool(lambda: self._settle(action))
        if isinstance(answer, SlipwayError):
            raise answer
        return answer

    def _settle(self, action: Callable[[Session], Answer | SlipwayError]) -> Answer | SlipwayError:
        with self.database.transaction() as transaction:
            return action(transaction.session)


async def get_runtime(request: Request) -> BootRuntime:
    """Return the runtime that ``create_boot_app`` was given."""
    runtime = request.app.state.runtime
    if not isinstance(runtime, BootRuntime):
        raise TypeError("app.state.runtime is not a BootRuntime: build the app with create_boot_app")
    return runtime


BootRuntimeDep = Annotated[BootRuntime, Depends(get_runtime)]
