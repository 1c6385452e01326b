"""``slipway audit`` on a real database: whole or not, exported, and noted elsewhere."""

import json
from pathlib import Path

import psycopg
import pytest

from api.db.session import Database
from tests.automation.cli.conftest import Terminal
from tests.fixtures.trail import append, entry


@pytest.fixture
def operator(terminal: Terminal, database: Database, database_url: str) -> Terminal:
    """A terminal with the operator's settings, and a trail of three records besides the first."""
    append(database, entry("one.do", subject_id="a"), entry("two.do", subject_id="b"))
    append(database, entry("three.do", subject_id="a", reason="größer"))
    terminal.environment["DATABASE_URL"] = database_url
    return terminal


@pytest.fixture
def tampered(operator: Terminal, database_url: str) -> Terminal:
    """The same, after somebody edited a record."""
    with psycopg.connect(database_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE audit_records SET reason = 'another' WHERE seq = 2")
    return operator


def lines(text: str) -> list[dict[str, object]]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_whole_trail_verifies_and_says_where_it_ends(operator: Terminal) -> None:
    """The head that is printed is what a later verification takes."""
    head = operator.run("audit", "head").stdout.strip()
    assert head.startswith("3:")
    assert f"whole: 4 records, head {head}" in operator.run("audit", "verify").stdout
    assert "whole" in operator.run("audit", "verify", "--since-head", head).stdout


def test_a_trail_that_was_tampered_with_fails_and_names_the_record(tampered: Terminal) -> None:
    """With exit status 1, so that a scheduler can tell."""
    result = tampered.run("audit", "verify", exit_code=1)
    assert "changed: record 2" in result.stdout
    assert "not whole: 1 flaws in 4 records" in result.stderr


def test_another_trail_than_was_noted_fails(operator: Terminal) -> None:
    """Even though it is whole in itself."""
    result = operator.run("audit", "verify", "--since-head", f"2:{'0' * 64}", exit_code=1)
    assert "anchor: record 2" in result.stdout


def test_a_note_that_is_none_is_refused(operator: Terminal) -> None:
    """With the form that is wanted."""
    assert "NUMBER:HASH" in operator.run("audit", "verify", "--since-head", "yesterday", exit_code=1).stderr


def test_an_export_has_every_record_as_a_line_of_json(operator: Terminal) -> None:
    """With hashes, the oldest first."""
    found = lines(operator.run("audit", "export").stdout)
    assert [line["action"] for line in found] == ["audit.begin", "one.do", "two.do", "three.do"]
    assert [line["prev_hash"] for line in found[1:]] == [line["hash"] for line in found[:-1]]
    assert found[3]["reason"] == "größer"


def test_an_export_is_narrowed_by_subject_and_time(operator: Terminal) -> None:
    """To one thing, and to a span of which the end is left out."""
    found = lines(operator.run("audit", "export", "--subject-type", "thing", "--subject-id", "a").stdout)
    assert [line["action"] for line in found] == ["one.do", "three.do"]
    moment = str(found[1]["at"]).partition(".")[0]
    assert lines(operator.run("audit", "export", "--until", "2000-01-01").stdout) == []
    assert found[1] in lines(operator.run("audit", "export", "--since", moment).stdout)


def test_an_export_goes_to_a_file(operator: Terminal, tmp_path: Path) -> None:
    """And says how much it was, on the side."""
    file = tmp_path / "trail.jsonl"
    result = operator.run("audit", "export", "--output", str(file))
    assert len(lines(file.read_text(encoding="utf-8"))) == 4
    assert "Wrote 4 records" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "2030-01-02", "--until", "2030-01-01"], "'since' must come before 'until'"),
        (["--output", "/no/such/folder/file"], "No such file"),
    ],
)
def test_what_cannot_be_meant_is_refused(operator: Terminal, arguments: list[str], said: str) -> None:
    """In one sentence that names the field or the file."""
    assert said in operator.run("audit", "export", *arguments, exit_code=1).stderr


@pytest.mark.parametrize("command", ["head", "verify", "export"])
def test_a_missing_or_wrong_address_is_said(terminal: Terminal, command: str) -> None:
    """By the name of the setting, and without a traceback."""
    terminal.environment["DATABASE_URL"] = ""
    assert "set DATABASE_URL" in terminal.run("audit", command, exit_code=1).stderr
    terminal.environment["DATABASE_URL"] = "postgresql://postgres@127.0.0.1:1/none"
    assert "DATABASE_URL: the database cannot be used" in terminal.run("audit", command, exit_code=1).stderr
