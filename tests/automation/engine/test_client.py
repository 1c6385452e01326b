"""Engine operations in child processes, on the real CLI and PostgreSQL state."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from automation.engine.contract import EngineAction, EngineOutcome, EngineUnavailable
from automation.engine.process import session_members
from automation.engine.rundir import RunDirectory
from automation.engine.wire import Limits
from tests.fixtures.engine import Rig, until

pytestmark = pytest.mark.engine


def gate(folder: Path) -> dict[str, str]:
    """Return the spec of a program that waits for a file."""
    return {"started": str(folder / "started"), "gate": str(folder / "gate")}


def command_line(pid: int) -> bytes:
    """Return a process's command line; none of one that has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def locks(rig: Rig) -> list[str]:
    """Return the keys of the state store's locks."""
    with psycopg.connect(rig.secrets.backend_url) as connection:
        rows = connection.execute("SELECT key FROM pulumi_state WHERE key LIKE '%/locks/%'").fetchall()
    return [str(row[0]) for row in rows]


class TestProcessesPerOperation:
    def test_a_first_up_takes_two(self, rig: Rig) -> None:
        """`stack init` and `up`: the outputs come from the event log, nothing is asked for afterwards."""
        result = rig.up({"rooms": 2}, stack_may_exist=False)

        assert (result.outcome, result.pulumi_processes) == (EngineOutcome.SUCCEEDED, 2)
        assert result.outputs["rooms"] == 2
        assert result.changes == {"create": 3}
        assert 0 < result.cpu_seconds < 5

    def test_a_later_up_takes_one_and_tells_the_outputs_though_nothing_changed(self, rig: Rig) -> None:
        """An operation on a stack that exists is one process."""
        rig.up({"rooms": 2}, stack_may_exist=False)

        result = rig.up({"rooms": 2})

        assert (result.pulumi_processes, result.changes) == (1, {"same": 3})
        assert result.outputs["rooms"] == 2

    def test_a_destroy_takes_one_and_leaves_no_stack(self, rig: Rig) -> None:
        """`destroy --remove` also removes the stack from the state store."""
        rig.up({"rooms": 2}, stack_may_exist=False)

        result = rig.destroy()

        assert (result.outcome, result.pulumi_processes, result.changes) == (EngineOutcome.SUCCEEDED, 1, {"delete": 3})
        with psycopg.connect(rig.secrets.backend_url) as connection:
            query = "SELECT key FROM pulumi_state WHERE key LIKE '%/stacks/%' AND key NOT LIKE '%.bak'"
            assert connection.execute(query).fetchall() == []

    @pytest.mark.parametrize("action", [EngineAction.PREVIEW, EngineAction.PREVIEW_REFRESH])
    def test_a_preview_takes_one_and_changes_nothing(self, rig: Rig, action: EngineAction) -> None:
        """The preview of a larger order says what would come; a refreshing one compares with what is there."""
        rig.up({"rooms": 1}, stack_may_exist=False)

        result = rig.run(rig.job(action, {"rooms": 3}))

        assert (result.outcome, result.pulumi_processes) == (EngineOutcome.SUCCEEDED, 1)
        assert result.changes == ({"create": 2, "same": 2} if action is EngineAction.PREVIEW else {"same": 2})
        assert rig.up({"rooms": 1}).changes == {"same": 2}


class TestStackThatIsOrIsNotThere:
    def test_a_stack_made_by_an_attempt_that_then_died_is_used(self, rig: Rig) -> None:
        """The first attempt ended between `stack init` and `up`; a second one believes that no stack exists."""
        rig.up({"rooms": 1}, stack_may_exist=False)

        result = rig.up({"rooms": 1}, stack_may_exist=False)

        assert result.outcome is EngineOutcome.SUCCEEDED
        assert "Going on where an earlier attempt ended" in rig.sentences

    def test_a_stack_that_should_exist_and_does_not_is_made(self, rig: Rig) -> None:
        """An attempt that died before `stack init` leaves nothing."""
        result = rig.up({"rooms": 1}, stack_may_exist=True)

        assert (result.outcome, result.changes) == (EngineOutcome.SUCCEEDED, {"create": 2})

    def test_destroying_what_is_not_there_succeeds(self, rig: Rig) -> None:
        """Destroy is a desired state: a second one finds it reached."""
        result = rig.destroy()

        assert result.outcome is EngineOutcome.SUCCEEDED
        assert rig.sentences == ["Nothing is left to remove"]


class TestIsolation:
    def test_the_child_sees_its_own_environment_only(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing of the worker's environment reaches a program, a plugin or the CLI."""
        monkeypatch.setenv("DATABASE_URL", "postgresql://secret")

        names = rig.up({"rooms": 0}, stack_may_exist=False).outputs["environment"]

        assert "DATABASE_URL" not in names
        assert {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "HOME", "TMPDIR", "PATH"} <= set(names)

    def test_no_secret_is_on_a_command_line_in_a_file_or_in_an_event(self, rig: Rig, tmp_path: Path) -> None:
        """The passphrase and the state's address are in the environment of the engine's processes alone."""
        rig = rig.using("engine_programs:waits", keep_directories=True)
        spec = gate(tmp_path)
        run = rig.engine.start(rig.job(EngineAction.UP, spec, stack_may_exist=False), rig.secrets)
        done = rig.follow(run)
        until(Path(spec["started"]).exists)

        lines = [command_line(pid) for pid in session_members(run.process.pid)]
        Path(spec["gate"]).touch()
        assert done.result().outcome is EngineOutcome.SUCCEEDED
        files = b"".join(path.read_bytes() for path in rig.work_root.rglob("*") if path.is_file())
        for secret in (rig.secrets.passphrase, rig.secrets.backend_url):
            assert secret.encode() not in b"".join(lines) + files
            assert not any(secret in str(event) for event in rig.events)

    def test_the_work_directory_is_private_and_goes_with_success(self, rig: Rig, tmp_path: Path) -> None:
        """Mode 0700 while it runs, removed when it succeeded, kept when it failed."""
        waiting = rig.using("engine_programs:waits")
        spec = gate(tmp_path)
        job = waiting.job(EngineAction.UP, spec, stack_may_exist=False)
        done = waiting.follow(waiting.engine.start(job, rig.secrets))
        until(Path(spec["started"]).exists)
        assert RunDirectory.of(job).path.stat().st_mode & 0o777 == 0o700

        Path(spec["gate"]).touch()
        done.result()
        failing = rig.job(EngineAction.UP, {"none": 1})
        rig.run(failing)

        assert not RunDirectory.of(job).path.exists()
        assert RunDirectory.of(failing).path.is_dir()
        assert rig.engine.sweep(rig.work_root, 3600, time.time()) == 0
        assert rig.engine.sweep(rig.work_root, 0, time.time() + 1) == 1

    def test_two_operations_at_once_do_not_disturb_each_other(self, rig: Rig, tmp_path: Path) -> None:
        """Both are at work at the same time, each on its own stack, and both end well."""
        rig = rig.using("engine_programs:waits")
        folders = [tmp_path / "one", tmp_path / "two"]
        runs = []
        for number, folder in enumerate(folders):
            folder.mkdir()
            job = rig.job(EngineAction.UP, gate(folder), stack=f"w-{number}", stack_may_exist=False)
            runs.append(rig.follow(rig.engine.start(job, rig.secrets)))
        for folder in folders:
            until((folder / "started").exists)
        for folder in folders:
            (folder / "gate").touch()

        assert [run.result().outputs for run in runs] == [{"passed": True}] * 2

    def test_the_same_attempt_cannot_be_started_twice(self, rig: Rig) -> None:
        """A redelivered task with the same fence finds that its attempt was made."""
        job = rig.job(EngineAction.UP, {"nothing": 1})
        rig.run(job)

        with pytest.raises(EngineUnavailable, match="before"):
            rig.engine.start(job, rig.secrets)


class TestFailures:
    def test_a_bad_spec_fails_before_any_process(self, rig: Rig) -> None:
        """The program's factory refuses the document; the engine is not bothered."""
        result = rig.up({"no rooms": 1})

        assert result.failure is not None
        assert (result.failure.code, result.failure.retryable, result.pulumi_processes) == ("invalid_spec", False, 0)

    def test_a_program_that_raises_is_named_and_its_secret_is_not_shown(self, rig: Rig) -> None:
        """The program's error ends the operation; its text is scrubbed."""
        result = rig.using("engine_programs:broken").up({"secret": "hunter2hunter2"}, stack_may_exist=False)

        assert result.failure is not None
        assert (result.outcome, result.failure.code) == (EngineOutcome.FAILED, "program_error")
        assert "hunter2" not in str(result)
        assert "boom" in result.failure.detail

    def test_memory_has_a_limit(self, rig: Rig) -> None:
        """A program that asks for more than its share gets an error, and only its operation fails."""
        limits = Limits(memory_bytes=1024**3)
        greedy = rig.using("engine_programs:greedy", limits=limits)

        result = greedy.up({"bytes": 8 * 1024**3}, stack_may_exist=False)

        assert result.failure is not None
        assert (result.failure.code, result.failure.retryable) == ("out_of_memory", True)
        assert rig.up({"rooms": 1}).outcome is EngineOutcome.SUCCEEDED

    def test_a_stack_name_with_an_underscore_is_refused(self, rig: Rig) -> None:
        """It would be a wildcard in the state store, and can panic the CLI for good."""
        with pytest.raises(ValueError, match="stack"):
            rig.job(EngineAction.UP, {"rooms": 1}, stack="w_1")

    def test_a_host_that_is_not_there_means_that_nothing_happened(self, rig: Rig, tmp_path: Path) -> None:
        """The caller may try again at once."""
        nobody = rig.using("engine_programs:rooms", socket=tmp_path / "nobody.sock")

        with pytest.raises(EngineUnavailable, match="does not answer"):
            nobody.up({"rooms": 1})


class TestEndingAnEngine:
    def test_a_cancelled_operation_ends_by_itself_and_unlocks_its_stack(self, rig: Rig, tmp_path: Path) -> None:
        """`poll` says no: the CLI is interrupted, finishes what it must, and takes its lock away."""
        waiting = rig.using("engine_programs:waits")
        spec = gate(tmp_path)
        job = waiting.job(EngineAction.UP, spec, stack_may_exist=False)

        result = waiting.run(job, poll=lambda: not Path(spec["started"]).exists())

        assert result.outcome is EngineOutcome.CANCELLED
        assert locks(rig) == []

    def test_an_operation_past_its_deadline_is_ended(self, rig: Rig, tmp_path: Path) -> None:
        """The child watches the time itself, so this holds without a worker too."""
        waiting = rig.using("engine_programs:waits", limits=Limits(grace_seconds=10))
        result = waiting.up(gate(tmp_path), stack_may_exist=False, deadline_seconds=2)

        assert result.outcome is EngineOutcome.DEADLINE
        assert result.failure is not None
        assert (result.failure.code, result.failure.retryable) == ("deadline", True)

    def test_a_killed_engine_is_a_failure_that_may_be_tried_again(self, rig: Rig, tmp_path: Path) -> None:
        """SIGKILL leaves no result behind; the host sees it, and ends what the child left running."""
        waiting = rig.using("engine_programs:waits")
        spec = gate(tmp_path)
        run = waiting.engine.start(waiting.job(EngineAction.UP, spec, stack_may_exist=False), rig.secrets)
        done = waiting.follow(run)
        until(Path(spec["started"]).exists)
        assert rig.engine.is_alive(run.process) is True

        os.kill(run.process.pid, signal.SIGKILL)

        failure = done.result().failure
        assert failure is not None
        assert (failure.code, failure.retryable) == ("engine_killed", True)
        assert rig.engine.is_alive(run.process) is False
        assert list(session_members(run.process.pid)) == []

    def test_a_lock_left_behind_is_removed_by_recovery_only(self, rig: Rig, tmp_path: Path) -> None:
        """A killed engine's lock stays, refuses the next operation, and goes with `recover`."""
        waiting = rig.using("engine_programs:waits")
        spec = gate(tmp_path)
        job = waiting.job(EngineAction.UP, spec, stack_may_exist=False)
        run = waiting.engine.start(job, rig.secrets)
        done = waiting.follow(run)
        until(Path(spec["started"]).exists)
        assert rig.engine.terminate(run.process)
        done.result()

        refused = rig.up({"rooms": 1}).failure
        recovered = rig.engine.recover(job, rig.secrets).wait(lambda _: None, lambda: True)

        assert refused is not None
        assert (refused.code, refused.retryable) == ("stack_locked", True)
        assert (recovered.outcome, recovered.changes) == (EngineOutcome.SUCCEEDED, {"imported": 0, "cleared": 0})
        assert locks(rig) == []
        assert rig.up({"rooms": 1}).outcome is EngineOutcome.SUCCEEDED

    def test_an_engine_of_another_host_is_neither_judged_nor_killed(self, rig: Rig) -> None:
        """Only its own host can prove it dead."""
        run = rig.engine.start(rig.job(EngineAction.UP, {"rooms": 0}), rig.secrets)
        elsewhere = replace(run.process, host="another")

        assert rig.engine.is_alive(elsewhere) is None
        assert rig.engine.terminate(elsewhere) is False
        assert rig.engine.terminate(run.process) is True
        run.abandon()

    def test_a_number_given_to_another_process_is_not_the_engine(self, rig: Rig) -> None:
        """Pids are reused: the start time tells them apart."""
        run = rig.engine.start(rig.job(EngineAction.UP, {"rooms": 0}), rig.secrets)
        reused = replace(run.process, started_at_ticks=run.process.started_at_ticks - 1)

        assert rig.engine.is_alive(reused) is False
        run.abandon()
        until(lambda: rig.engine.is_alive(run.process) is False)


WORKER = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from automation.engine.client import EngineSettings, ProcessEngine
from automation.engine.contract import EngineAction, EngineJob, EngineSecrets
told = json.loads(sys.stdin.readline())
settings = EngineSettings(socket=Path(told["socket"]), pulumi=Path(told["pulumi"]), toolchain=told["toolchain"],
                          plugins=Path(told["plugins"]), program=told["program"])
job = EngineJob(**{**told["job"], "action": EngineAction.UP, "work_root": Path(told["job"]["work_root"])})
run = ProcessEngine(settings).start(job, EngineSecrets(**told["secrets"]))
print(json.dumps(asdict(run.process)), flush=True)
if told["waits"]:
    run.wait(lambda event: None, lambda: True)
else:
    sys.stdin.readline()
"""


class Worker:
    """A worker process that runs one job and can be killed."""

    def __init__(self, rig: Rig, spec: dict[str, str], *, waits: bool = True) -> None:
        self.job = rig.job(EngineAction.UP, spec, stack_may_exist=False)
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        told = {
            "socket": rig.settings.socket,
            "pulumi": rig.settings.pulumi,
            "plugins": rig.settings.plugins,
            "toolchain": dict(rig.settings.toolchain),
            "program": rig.settings.program,
            "job": {name: getattr(self.job, name) for name in self.job.__slots__},
            "secrets": {"backend_url": rig.secrets.backend_url, "passphrase": rig.secrets.passphrase},
            "waits": waits,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told, default=str) + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def kill(self) -> None:
        """Kill the worker, and nothing but the worker."""
        self._process.kill()
        self._process.communicate()


class TestWorkerThatDies:
    def test_its_engine_ends_alone_and_unlocks(self, rig: Rig, tmp_path: Path) -> None:
        """SIGKILL of the worker in the middle of an `up`: the engine goes on, and another worker reads its result."""
        waiting = rig.using("engine_programs:waits")
        spec = gate(tmp_path)
        worker = Worker(waiting, spec)
        until(Path(spec["started"]).exists)
        worker.kill()

        ((_, process),) = rig.engine.abandoned(rig.work_root)
        Path(spec["gate"]).touch()
        run = waiting.engine.attach(worker.job, rig.secrets, process)
        assert run is not None
        result = run.wait(waiting.events.append, lambda: True)

        assert (result.outcome, result.outputs) == (EngineOutcome.SUCCEEDED, {"passed": True})
        assert [event.sequence for event in waiting.events] == list(range(1, len(waiting.events) + 1))
        assert locks(rig) == []
        assert rig.engine.is_alive(process) is False

    def test_its_engine_does_nothing_if_it_dies_before_it_said_go(self, rig: Rig, tmp_path: Path) -> None:
        """Between `start` and `wait` the identity is stored; a worker that dies there has started nothing."""
        spec = gate(tmp_path)
        worker = Worker(rig.using("engine_programs:waits"), spec, waits=False)
        ((_, process),) = rig.engine.abandoned(rig.work_root)

        worker.kill()

        until(lambda: rig.engine.is_alive(process) is False)
        assert not Path(spec["started"]).exists()

    def test_a_later_worker_can_end_a_fenced_engine(self, rig: Rig, tmp_path: Path) -> None:
        """The zombie's engine is killed with everything it started."""
        spec = gate(tmp_path)
        worker = Worker(rig.using("engine_programs:waits"), spec)
        until(Path(spec["started"]).exists)
        worker.kill()
        ((_, process),) = rig.engine.abandoned(rig.work_root)

        assert rig.engine.terminate(process) is True
        assert list(rig.engine.abandoned(rig.work_root)) == []
