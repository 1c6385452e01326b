"""What the rest of Slipway knows of the engine.

``Engine`` is the boundary: the operations service is written against it, the real engine and the tests' fake
one both pass the same contract test.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

# ``_`` is a wildcard in the state store's prefix queries and panics the CLI.
_STACK = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_OPERATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


class EngineAction(StrEnum):
    """What the engine is asked to do with a workload's stack."""

    UP = "up"
    DESTROY = "destroy"
    PREVIEW = "preview"
    """Of an ``up``."""
    PREVIEW_DESTROY = "preview_destroy"
    PREVIEW_REFRESH = "preview_refresh"
    """What the world has changed behind the state's back."""

    @property
    def is_preview(self) -> bool:
        """Whether it only looks."""
        return self not in {EngineAction.UP, EngineAction.DESTROY}


class EngineOutcome(StrEnum):
    """How an engine operation ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class EngineJob:
    """One operation on one stack. Holds no secret: it is written to the work directory as it is.

    Attributes:
        operation_id: names the run; also the name of its work directory below ``work_root``.
        fence: the lease's fencing number; a higher one always means a later attempt.
        stack: an opaque stack name of ``[a-z0-9-]``.
        spec: a ``WorkloadSpec`` document; for ``DESTROY`` the last known one.
        stack_may_exist: False only on the very first attempt, which saves one ``pulumi`` process.
        deadline_seconds: after this the engine is interrupted, then killed.
        refresh: for ``UP`` and ``PREVIEW``: look at what is really there first.
        config: the stack's settings for its default providers (``hcloud:pollInterval``); no secrets.
        unlock: of a recovery: remove the stack's lock, which is the dead engine's. False where there is none, or
            somebody else might take it meanwhile.
    """

    operation_id: str
    fence: int
    stack: str
    action: EngineAction
    spec: Mapping[str, Any]
    work_root: Path
    stack_may_exist: bool = True
    deadline_seconds: float = 900.0
    refresh: bool = False
    config: Mapping[str, str] = field(default_factory=dict)
    unlock: bool = True

    def __post_init__(self) -> None:
        """Refuse names that would harm the state store or leave the work directory.

        Raises:
            ValueError: names the field.
        """
        if not _STACK.fullmatch(self.stack):
            raise ValueError("stack: use 1 to 63 lower-case letters, digits and hyphens, with a letter or digit first")
        if not _OPERATION.fullmatch(self.operation_id):
            raise ValueError("operation_id: use 1 to 64 letters, digits and hyphens")
        if self.deadline_seconds <= 0:
            raise ValueError("deadline_seconds: must be positive")


@dataclass(frozen=True, slots=True)
class EngineSecrets:
    """What the child needs and nobody may store: passed through a socket into its environment only."""

    backend_url: str = field(repr=False)
    passphrase: str = field(repr=False)
    provider_environment: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One line of progress, already free of secrets.

    Attributes:
        sequence: counts from 1 within one engine run.
        kind: ``resource`` (a step begins or ends), ``diagnostic``, ``summary`` or ``engine`` (our own words).
        message: a sentence a customer can read.
        data: details for machines: ``urn``, ``type``, ``op``, ``status``, ``severity``, ``seconds``.
    """

    sequence: int
    kind: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """Why an operation failed, in our terms: ``code`` is stable, ``retryable`` says whether time may heal it.

    Attributes:
        message: a sentence a customer can read.
        detail: the engine's own words for operators: shortened, free of secrets, empty where there are none.
    """

    code: str
    message: str
    retryable: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """Identity of an engine child. A pid alone is reused; pid, start time and host together are not.

    Attributes:
        started_at_ticks: the process's start time in clock ticks since boot (``/proc/PID/stat``, field 22).
    """

    host: str
    boot_id: str
    pid: int
    started_at_ticks: int


@dataclass(frozen=True, slots=True)
class EngineResult:
    """How an engine operation ended.

    Attributes:
        changes: number of resource steps by kind: ``create``, ``update``, ``same``, ``delete``, ``replace``.
        steps: of the previews only: the resource steps, one mapping a resource with ``urn``, ``type``, ``op``
            (``create``, ``update``, ``replace``, ``delete``, ``same``), ``name``, ``inputs`` and ``changes`` (each
            ``path``, ``kind``: ``added``, ``removed`` or ``changed``, ``before``, ``after``); secrets masked, long
            texts cut. Sorted by name: the engine's own order differs from one preview to the next. Those of
            ``PREVIEW_REFRESH`` would bring the state to what was found (``delete``: it is gone).
        outputs: the stack's outputs (``UP`` only).
        pulumi_processes: how many ``pulumi`` processes were started for it.
        cpu_seconds: user and system time of the child and everything it waited for.
    """

    outcome: EngineOutcome
    outputs: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    failure: EngineFailure | None = None
    pulumi_processes: int = 0
    cpu_seconds: float = 0.0
    steps: Sequence[Mapping[str, Any]] = ()


class EngineRun(Protocol):
    """A started operation."""

    @property
    def process(self) -> EngineProcess:
        """Identity of the child, to be stored before anything depends on it."""

    def wait(self, on_event: Callable[[EngineEvent], None], poll: Callable[[], bool]) -> EngineResult:
        """Let the engine begin and block until it ends, passing each event on.

        ``poll`` is called about twice a second; once it returns False the engine is interrupted (SIGINT), given
        time to finish its step, and then killed. If a callback raises, the error passes through and the engine
        works on: ``Engine.attach`` finds it again.
        """

    def abandon(self) -> None:
        """Let go of a run without waiting for it; one that has not begun ends without having done anything."""


class Engine(Protocol):
    """Starts engine operations and knows whether an earlier one still lives."""

    def start(self, job: EngineJob, secrets: EngineSecrets) -> EngineRun:
        """Start a child process for ``job``; returns at once.

        The child touches nothing before ``EngineRun.wait`` is called, and ends if its caller dies before that: so
        whoever stores the process's identity in between can be sure that no unknown engine ever worked on a stack.

        Raises:
            EngineUnavailable: if no child could be started; nothing has happened to the stack.
        """

    def attach(self, job: EngineJob, secrets: EngineSecrets, process: EngineProcess) -> EngineRun | None:
        """Take over the run that an earlier worker began for ``job`` and left, whether it still works or has ended.

        Its events are told again from the first one, with the same numbers. None if nothing of the run can be found
        on this host.
        """

    def terminate(self, process: EngineProcess) -> bool:
        """Kill an earlier engine with all of its processes; True once none is left, False where that is not known.

        For a fenced-off worker's engine. Follow with ``recover``. Blocks for seconds.
        """

    def is_alive(self, process: EngineProcess) -> bool | None:
        """Tell whether an earlier engine still runs; None when that cannot be known (another host)."""

    def recover(self, job: EngineJob, secrets: EngineSecrets) -> EngineRun:
        """Start a child that brings the stack of a dead engine back to a state that ``start`` can work on.

        It removes the dead engine's lock, and resolves interrupted creates by identity: found means imported, absent
        means cleared. Call only when the engine that held the stack is proven dead. It works on the stack as any
        other engine does, so store its identity before ``EngineRun.wait`` lets it begin.

        Raises:
            EngineUnavailable: if no child could be started; nothing has happened to the stack.
        """


class EngineUnavailable(Exception):  # noqa: N818 - reads as a state, as the errors in api.errors do
    """No engine child could be started."""
