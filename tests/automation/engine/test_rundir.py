"""A run's directory and its growing event log."""

import json
from pathlib import Path

import pytest

from automation.engine.contract import (
    EngineAction,
    EngineFailure,
    EngineJob,
    EngineOutcome,
    EngineProcess,
    EngineResult,
)
from automation.engine.rundir import EventTail, RunDirectory


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    """Return the fresh directory of a job."""
    job = EngineJob("op1", 3, "w-1", EngineAction.UP, {}, tmp_path / "work")
    made = RunDirectory.of(job)
    made.create(plugins=None)
    return made


def test_it_is_named_after_the_attempt_and_private(directory: RunDirectory) -> None:
    """Another fence is another directory, and nobody else may look inside."""
    assert directory.path.name == "op1-3"
    assert {path.stat().st_mode & 0o777 for path in (directory.path, directory.home, directory.pulumi_home)} == {0o700}


def test_an_attempt_has_one_directory(directory: RunDirectory) -> None:
    """Making it again means that the attempt was made before."""
    with pytest.raises(FileExistsError):
        directory.create(plugins=None)


def test_shared_plugins_are_linked(tmp_path: Path) -> None:
    """The CLI looks for plugins in its own home, which is private to the run."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    directory = RunDirectory(tmp_path / "run")

    directory.create(plugins)

    assert (directory.pulumi_home / "plugins").resolve() == plugins


def test_a_result_survives_the_way_through_a_file(directory: RunDirectory) -> None:
    """What another worker reads is what the engine wrote."""
    failure = EngineFailure("code", "A message.", retryable=True, detail="more")
    result = EngineResult(EngineOutcome.FAILED, {"a": 1}, {"create": 2}, failure, 2, 0.5)
    assert directory.read_result() is None

    directory.write_result(result)

    assert directory.read_result() == result


def test_a_process_survives_the_way_through_a_file(directory: RunDirectory) -> None:
    """So an engine is known even if its worker died before it could store it."""
    process = EngineProcess("host", "boot", 12, 34)
    assert directory.read_process() is None

    directory.write_process(process)

    assert directory.read_process() == process


def test_events_are_read_once_and_in_the_order_of_the_commands(directory: RunDirectory) -> None:
    """Half a line waits for its other half; a later command's log comes after the earlier one's."""
    tail = EventTail(directory)
    assert list(tail.read()) == []
    first = directory.next_event_log("up")
    with first.open("w") as log:
        log.write('{"n": 1}\n{"n"')
        log.flush()
        assert list(tail.read()) == [{"n": 1}]
        log.write(": 2}\n")
    directory.remark("between")
    third = directory.next_event_log("up")
    third.write_text('{"n": 3}\n')

    told = list(tail.read())

    assert [event.get("n") for event in told] == [2, None, 3]
    assert told[1]["remark"]["message"] == "between"
    assert list(tail.read()) == []
    tail.close()


def test_a_reader_that_comes_late_reads_everything(directory: RunDirectory) -> None:
    """A worker that takes over a run tells its events from the first one."""
    for number in range(3):
        directory.next_event_log("up").write_text(json.dumps({"n": number}) + "\n")
    tail = EventTail(directory)

    assert [event["n"] for event in tail.read()] == [0, 1, 2]
    tail.close()
