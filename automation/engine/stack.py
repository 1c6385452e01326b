"""The SDK's Automation API, driven lean.

The stock ``create_or_select_stack`` and ``up`` start seven processes for an order: ``version``, ``select``, ``init``,
``up``, two ``output`` and ``history``, each of which costs 0.15 to 0.4 s of processor time. What those print is either
known beforehand or stands in the update's own event log, so here an order takes ``init`` and ``up``, and any later
operation one process. Everything else is the SDK's: the inline program's language server, arguments, errors.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi._version import version as sdk_version
from pulumi.automation import events as sdk_events
from pulumi.automation._stack import StackInitMode
from pulumi.automation.errors import create_command_error

from automation.engine.events import RunSummary
from automation.engine.rundir import RunDirectory
from automation.engine.steps import PreviewLog
from automation.engine.supervision import Supervisor

# Flags that the SDK's methods do not offer. ``--remove`` saves the process that ``Stack.destroy(remove=True)`` starts.
# Without ``--no-select`` the CLI writes the state's address, password and all, into a file.
_FLAGS: Mapping[str, Sequence[str]] = {
    "stack init": ("--no-select",),
    "up": ("--suppress-permalink=true",),
    "destroy": ("--suppress-permalink=true", "--remove"),
    "destroy --preview-only": ("--suppress-permalink=true",),
    "refresh": ("--suppress-permalink=true",),
    "preview": ("--suppress-permalink=true",),
}
_Listener = Callable[[sdk_events.EngineEvent], Any]


class SupervisedCommand(automation.PulumiCommand):
    """Runs the CLI under a supervisor, with its output in files.

    Files, not pipes: a CLI that writes to the pipe of a dead reader dies of it and leaves its stack locked.
    """

    def __init__(self, pulumi: Path, directory: RunDirectory, supervisor: Supervisor) -> None:
        # Deliberately not the base's initialiser: it runs `pulumi version`, and the toolchain knows the version.
        self.command = str(pulumi)
        self.version = sdk_version  # the toolchain pins the CLI and the SDK together
        self._directory = directory
        self._supervisor = supervisor

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> automation.CommandResult:
        """Run one command and block until it ends; the callbacks of the base class are not used.

        Raises:
            Interrupted: if the operation was stopped before.
            CommandError: if the command fails; a subclass where the SDK knows the reason.
        """
        del on_output, on_error
        self._supervisor.check()
        verb = args[0]
        flags = _FLAGS.get(" ".join(args[:2])) or _FLAGS.get(verb, ())
        arguments = [self.command, "--non-interactive", *args, *flags]
        out, err = self._directory.next_file(f"{verb}.out"), self._directory.next_file(f"{verb}.err")
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                arguments,
                cwd=cwd,
                env={**os.environ, **additional_env},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
            self._directory.note_command(process.pid)
            code = self._supervisor.wait(process)
        result = automation.CommandResult(out.read_text(errors="replace"), err.read_text(errors="replace"), code)
        if code != 0:
            raise create_command_error(result)
        return result


class LeanStack(automation.Stack):
    """A stack whose ``up`` is the update and nothing else.

    Attributes:
        summary: what the last operation's event log said.
        looked: what it said about the steps of a preview.
    """

    def __init__(self, name: str, workspace: automation.LocalWorkspace, directory: RunDirectory) -> None:
        # Not the base's initialiser: it selects the stack in a process of its own, and every command names it anyway.
        self.name = name
        self.workspace = workspace
        self._mode = StackInitMode.SELECT
        self._directory = directory
        self._log: Path | None = None
        self._listener: _Listener | None = None
        self.summary = RunSummary()
        self.looked = PreviewLog()

    def outputs(self) -> automation.OutputMap:
        """Return nothing: ``summary.outputs`` has them, from the event log."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary | None:  # noqa: FBT001, FBT002 - the base's signature
        """Return a placeholder for what the base class would ask ``pulumi stack history`` for."""
        del show_secrets
        return automation.UpdateSummary(
            kind="update", start_time=datetime.now(UTC), message="", environment={}, config={}, result="succeeded"
        )

    def _setup_event_log(self, command: str, on_event: _Listener, pulumi_version: str) -> Any:
        """Have the CLI write its events into the run's directory, where the worker reads them as they come."""
        del pulumi_version
        self._log, self._listener = self._directory.next_event_log(command), on_event
        return str(self._log), None, None, None, None

    def _run_pulumi_cmd_sync(self, args: list[str], *callbacks: Any) -> automation.CommandResult:
        try:
            return super()._run_pulumi_cmd_sync(args, *callbacks)
        finally:
            self._summarise()

    def _summarise(self) -> None:
        """Read the log of the command that has just ended."""
        if self._log is None:
            return
        self.summary, self.looked = RunSummary(), PreviewLog()
        with self._log.open() as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break  # the CLI was killed while it wrote
                event = json.loads(line)
                self.summary.feed(event)
                self.looked.feed(event)
                if self._listener is not None and "summaryEvent" in event:
                    self._listener(sdk_events.EngineEvent.from_json(event))
        self._log = self._listener = None
