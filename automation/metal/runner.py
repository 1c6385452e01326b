"""Takes machines that no stack has from `inspect` to `available`: one step at a time, each under a lease."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import structlog
from structlog.contextvars import bound_contextvars

from api.db.session import Database
from api.errors import LeaseLost, SlipwayError
from api.jobs import Job, JobQueue
from api.machines.lifetimes import lifetimes
from api.machines.preparation import Errand, Preparation, Step
from api.settings import WorkerSettings
from automation.metal.power import PowerDrivers, PowerFailed
from automation.operations.heartbeat import Heartbeat

_LOG = structlog.get_logger(__name__)
_PAUSE = timedelta(seconds=30)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class MachineRunner:
    """Does steps for one worker process, named ``owner`` in the lease.

    Attributes:
        clock: monotonic, in seconds; it only tells this worker when to doubt its lease.
    """

    database: Database
    power: PowerDrivers
    jobs: JobQueue
    settings: WorkerSettings
    owner: str
    clock: Callable[[], float] = time.monotonic

    def run(self, deployment_id: UUID) -> bool:
        """Do the next step of a deployment, if there is one and it is free; returns whether it was ours.

        Blocks for as long as the BMC takes (minutes at most), never for the machine.
        """
        asked_at, length = self.clock(), timedelta(seconds=self.settings.lease_seconds)
        owner = f"{self.owner}:{uuid4()}"
        errand = self._with(lambda preparation: preparation.acquire(deployment_id, owner, length))
        if errand is None:
            return False
        with bound_contextvars(deployment=str(deployment_id), machine=errand.name):
            try:
                with Heartbeat(lambda: self._renew(errand), self.settings.lease_seconds, asked_at, self.clock):
                    self._step(errand)
            except LeaseLost:
                _LOG.warning("lease_lost", step=errand.step)
                return True
            _LOG.info("step_done", step=errand.step, kind=errand.kind)
        return True

    def _step(self, errand: Errand) -> None:
        try:
            if errand.step is Step.BEGIN:
                self._begin(errand)
            else:
                self._settle(errand)
        except LeaseLost:
            raise
        except PowerFailed as failure:
            self._failed(errand, failure)
        except SlipwayError as refusal:
            self._failed(errand, PowerFailed(refusal.code, refusal.detail, is_retryable=False))

    def _begin(self, errand: Errand) -> None:
        power = self.power.open(errand.bmc)
        self._with(lambda preparation: preparation.starts(errand))
        power.boot_from_network()
        self._with(lambda preparation: preparation.began(errand))

    def _settle(self, errand: Errand) -> None:
        try:
            self.power.open(errand.bmc).leave_clean()
        except PowerFailed:
            if not errand.has_failed:  # a machine that goes into quarantine anyway does not have to obey
                raise
        following = self._with(lambda preparation: preparation.settle(errand))
        if following is not None:
            self.jobs.enqueue(Job.RUN_MACHINE, following)

    def _failed(self, errand: Errand, failure: PowerFailed) -> None:
        _LOG.warning("step_failed", code=failure.code, retryable=failure.is_retryable, detail=failure.detail)
        if failure.is_retryable:
            self._with(lambda preparation: preparation.postpone(errand, _PAUSE, failure.detail))
        else:
            self._with(lambda preparation: preparation.fail(errand, failure.code, failure.detail))

    def _renew(self, errand: Errand) -> None:
        length = timedelta(seconds=self.settings.lease_seconds)
        self._with(lambda preparation: preparation.renew(errand, length))

    def _with(self, action: Callable[[Preparation], Answer]) -> Answer:
        with self.database.transaction() as transaction:
            return action(Preparation(transaction.session, lifetimes(self.settings)))
