"""How values are written."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from api.operations.models import OperationStatus
from api.web import words
from api.workloads.models import WorkloadStatus


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_length_of_time_has_two_units(seconds: float, text: str) -> None:
    """A clock that is behind makes no negative time."""
    assert words.span(seconds) == text


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00 EUR"), (5, "0.05 EUR"), (123_456, "1234.56 EUR"), (-150, "-1.50 EUR")]
)
def test_money_is_exact(cents: int, text: str) -> None:
    """Integer cents, two digits, its currency."""
    assert words.money(cents, "eur") == text


@pytest.mark.parametrize(
    ("mebibytes", "text"),
    [(0, "0 MiB"), (512, "512 MiB"), (1024, "1 GiB"), (1536, "1.5 GiB"), (2**21, "2,048 GiB")],
)
def test_memory_is_in_gib_from_one_on(mebibytes: int, text: str) -> None:
    """Below, in MiB."""
    assert words.memory(mebibytes) == text


@pytest.mark.parametrize(("part", "whole", "share"), [(1, 3, 33.3), (0, 0, 0.0), (5, 4, 100.0), (-1, 4, 0.0)])
def test_a_share_stays_between_nothing_and_all(part: int, whole: int, share: float) -> None:
    """A bar never runs out of its frame, and nothing of nothing is no error."""
    assert words.percent(part, whole) == share


def test_times_are_told_in_utc() -> None:
    """Wherever they were noted; what never was is a dash."""
    noted = datetime(2030, 1, 31, 12, 0, 5, tzinfo=timezone(timedelta(hours=2)))

    assert words.moment(noted) == "2030-01-31 10:00:05"
    assert words.moment(None) == words.between(None, datetime.now(UTC)) == words.NOTHING


def test_a_running_workload_is_well_and_a_running_operation_at_work() -> None:
    """The same word in two colours; a status that we forgot is grey, not an error."""
    assert words.workload_tone(WorkloadStatus.RUNNING) == "good"
    assert words.tone(OperationStatus.RUNNING) == "live"
    assert words.tone("brand_new") == "calm"


def test_a_long_value_is_cut_with_a_word_about_it() -> None:
    """A page stays readable whatever a cloud-init document holds; a list is shown as JSON."""
    assert words.plain("x" * 5000).endswith("… (5000 characters)")
    assert words.plain(["a", 1, None]) == '["a", 1, null]'


def test_ids_are_told_apart_by_their_end() -> None:
    """Two of one moment begin alike."""
    first, second = UUID("01a20fc6-36f7-70a0-84a9-c3c0250340a4"), UUID("01a20fc6-36f7-70a0-84a9-c3c0aaaaaaaa")

    assert words.short(first) != words.short(second)
