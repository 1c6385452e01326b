"""What an engine child does for each action: a few CLI commands and one result."""

import importlib
import resource
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pulumi import RunError, automation
from pulumi.automation.errors import CommandError, StackAlreadyExistsError, StackNotFoundError

from automation.engine import errors
from automation.engine.contract import EngineAction, EngineFailure, EngineOutcome, EngineResult
from automation.engine.events import RunSummary
from automation.engine.rundir import RunDirectory
from automation.engine.scrub import Scrubber, secret_values
from automation.engine.stack import LeanStack, SupervisedCommand
from automation.engine.supervision import Interrupted, Supervisor
from automation.engine.wire import RECOVER, Request

if TYPE_CHECKING:
    from automation.engine.recovery import Recovery

_PREVIEWS = frozenset(action.value for action in EngineAction if action.is_preview)
Program = Callable[[], Any]


def perform(request: Request, supervisor: Supervisor) -> EngineResult:
    """Carry out a request; blocks until the engine has ended. Every failure becomes a result."""
    scrub = Scrubber(secret_values(request.environment))
    operation = Operation(request, supervisor, scrub)
    failure: EngineFailure | None = None
    outcome = EngineOutcome.SUCCEEDED
    try:
        operation.run()
    except Interrupted:
        outcome, failure = _stopped(request, supervisor)
    except CommandError as error:
        outcome, failure = _failed(request, supervisor, operation.summary, error, scrub)
    except errors.OperationFailed as error:
        outcome, failure = EngineOutcome.FAILED, error.failure
    return EngineResult(
        outcome,
        outputs=operation.summary.outputs if request.action == EngineAction.UP else {},
        changes={**operation.summary.changes, **operation.settled},
        failure=failure,
        pulumi_processes=supervisor.commands,
        cpu_seconds=round(_cpu_seconds(), 3),
        steps=operation.steps,
    )


class Operation:
    """One action on one stack.

    Attributes:
        settled: how many interrupted creates were imported and cleared.
    """

    def __init__(self, request: Request, supervisor: Supervisor, scrub: Scrubber) -> None:
        """Write the project file into the run's directory; starts nothing."""
        self._request = request
        self._supervisor = supervisor
        self._scrub = scrub
        self.settled: Mapping[str, int] = {}
        self.directory = RunDirectory(request.directory)
        self.command = SupervisedCommand(request.pulumi, self.directory, supervisor)
        self.workspace = automation.LocalWorkspace(
            work_dir=str(request.directory),
            pulumi_command=self.command,
            secrets_provider="passphrase",
            project_settings=automation.ProjectSettings(name=request.project, runtime="python"),
        )
        self.stack = LeanStack(request.job.stack, self.workspace, self.directory)
        if request.job.config:
            settings = automation.StackSettings(config=dict(request.job.config))
            self.workspace.save_stack_settings(request.job.stack, settings)

    @property
    def summary(self) -> RunSummary:
        """What the last command's event log said."""
        return self.stack.summary

    @property
    def steps(self) -> tuple[Mapping[str, Any], ...]:
        """What a preview saw; empty for everything else."""
        action = self._request.action
        if action == EngineAction.PREVIEW_REFRESH:
            return self.stack.looked.findings(self._scrub)
        return self.stack.looked.steps(self._scrub) if action in _PREVIEWS else ()

    def run(self) -> None:
        """Do what was asked.

        Raises:
            Interrupted: if the operation was stopped.
            CommandError: if a command failed.
            OperationFailed: if the spec cannot be turned into a program, or the recovery cannot go on.
        """
        steps: Mapping[str, Callable[[], None]] = {
            EngineAction.UP: self._up,
            EngineAction.DESTROY: self._destroy,
            EngineAction.PREVIEW: self._preview,
            EngineAction.PREVIEW_DESTROY: self._preview_destroy,
            EngineAction.PREVIEW_REFRESH: self._preview_refresh,
            RECOVER: self._recover,
        }
        steps[self._request.action]()

    def _up(self) -> None:
        program = load_program(self._request.program, self._request.job.spec)

        def act() -> None:
            self.stack.up(program=program, on_event=_ignore, refresh=self._refresh, **self._options)

        try:
            self._with_stack(act)
        except CommandError:
            lost = self._lost_creates()
            if not lost:
                raise
            self.directory.remark("Something of this order is there already; finding out whose it is")
            self.settled = self._recovery().adopt(lost)
            act()

    def _lost_creates(self) -> list[Mapping[str, Any]]:
        """Return the steps that failed because what they would create is there already."""
        texts = [errors.classify(text, self._scrub).code for text in self.summary.diagnostics]
        if not errors.EXISTS_CODES.intersection(texts):
            return []
        return [step for step in self.summary.failed if step["op"] == "create" and step.get("new")]

    def _preview(self) -> None:
        program = load_program(self._request.program, self._request.job.spec)

        def act() -> None:
            self.stack.preview(program=program, on_event=_ignore, refresh=self._refresh, **self._options)

        self._with_stack(act)

    def _preview_destroy(self) -> None:
        """Look at what a removal would remove: of a stack that is not there, nothing."""
        try:
            self.stack.preview_destroy(program=_no_program, on_event=_ignore, **self._options)
        except StackNotFoundError:
            self.directory.remark("Nothing is left to remove")

    def _preview_refresh(self) -> None:
        self.stack.preview_refresh(program=_no_program, on_event=_ignore, **self._options)

    def _destroy(self) -> None:
        """Remove everything, and the stack. A stack that is not there is what was asked for.

        With a refresh: the provider fails to delete a guest that somebody has removed already.
        """
        try:
            self.stack.destroy(program=_no_program, on_event=_ignore, refresh=True, **self._options)
        except StackNotFoundError:
            self.directory.remark("Nothing is left to remove")

    def _recover(self) -> None:
        self.settled = self._recovery().run()

    def _recovery(self) -> "Recovery":
        from automation.engine.lookups import Lookups  # noqa: PLC0415 - its API clients would burden every child
        from automation.engine.recovery import Recovery  # noqa: PLC0415 - the same

        lookups = Lookups(self._request.environment)
        return Recovery(self, lookups, self._supervisor, self._scrub)

    @property
    def may_unlock(self) -> bool:
        """Whether the stack's lock is known to be the dead engine's."""
        return self._request.job.unlock

    def _with_stack(self, act: Callable[[], Any]) -> None:
        """Act on the stack, making it where it is not there yet.

        An earlier attempt may have ended between the two, so both "exists" and "does not exist" are expected.
        """
        if not self._request.job.stack_may_exist:
            self._init()
            act()
            return
        try:
            act()
        except StackNotFoundError:
            self._init()
            act()

    def _init(self) -> None:
        try:
            self.workspace.create_stack(self.stack.name)
        except StackAlreadyExistsError:
            self.directory.remark("Going on where an earlier attempt ended")

    def refresh(self) -> None:
        """Make the state say what is really there; unfinished updates and deletes are settled by that too."""
        self.stack.refresh(program=_no_program, on_event=_ignore, **self._options)

    @property
    def _refresh(self) -> bool | None:
        """Whether to look at what is really there first; None leaves the flag away."""
        return self._request.job.refresh or None

    @property
    def _options(self) -> dict[str, Any]:
        return {
            "color": "never",
            "suppress_outputs": True,
            "suppress_progress": True,
            "parallel": self._request.limits.parallel,
        }


def load_program(path: str, spec: Mapping[str, Any]) -> Program:
    """Import the factory at ``module:name`` and make the program of a spec.

    Raises:
        OperationFailed: if there is no such factory, or it refuses the spec; the message names what and why.
    """
    module, _, name = path.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise errors.OperationFailed("invalid_program", f"program {path!r} cannot be imported: {error}") from error
    try:
        program: Program = factory(spec)
    except (LookupError, TypeError, ValueError, RunError) as error:
        raise errors.OperationFailed("invalid_spec", f"the spec is not valid: {error}") from error
    return program


def _stopped(request: Request, supervisor: Supervisor) -> tuple[EngineOutcome, EngineFailure]:
    if supervisor.stopped is EngineOutcome.DEADLINE:
        return EngineOutcome.DEADLINE, errors.deadline(request.job.deadline_seconds)
    return EngineOutcome.CANCELLED, EngineFailure("cancelled", "The operation was cancelled.", retryable=True)


def _failed(
    request: Request, supervisor: Supervisor, summary: RunSummary, error: CommandError, scrub: Scrubber
) -> tuple[EngineOutcome, EngineFailure]:
    """Find out what a failed command failed of: of our own interrupt, of a signal, or of what its words say."""
    if supervisor.stopped is not None:
        return _stopped(request, supervisor)
    text = "\n".join([*summary.diagnostics, str(error)])
    return EngineOutcome.FAILED, errors.of_command(supervisor.last_code, text, scrub)


def _cpu_seconds() -> float:
    """Return the processor time of this process and of all it has waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _no_program() -> None:
    """Stand for the program where none is run: without one the CLI starts a language host, half a second's work."""


def _ignore(_event: Any) -> None:
    """Be a listener: having one makes the SDK ask for the event log, which the worker reads."""
