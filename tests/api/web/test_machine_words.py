"""How machines are spoken of."""

import pytest

from api.alerts.models import AlertKind
from api.web import machine_words
from api.web.machine_words import FILTERS, GROUPS
from components.specs.machine import DeploymentKind, DeploymentPhase, DiskLayout, MachineState


def test_every_state_is_in_one_group_with_a_word_and_a_colour() -> None:
    """A state that is added later has to say what it means for the pool; what is retired is no part of it."""
    grouped = [state for states in GROUPS.values() for state in states]

    assert sorted([*grouped, MachineState.RETIRED]) == sorted(MachineState)
    assert {machine_words.machine_tone(state) for state in grouped} <= {"good", "used", "live", "wait", "bad"}
    assert all(machine_words.machine_state(state) for state in MachineState)


def test_every_phase_kind_and_layout_has_words() -> None:
    """None is shown by its name in the code."""
    titles = {machine_words.phase_title(phase, kind) for phase in DeploymentPhase for kind in DeploymentKind}

    assert not {title for title in titles if "_" in title}
    assert all(machine_words.layout_words(layout) for layout in DiskLayout)
    assert machine_words.phase_title("write", "wipe") == "Wipe the disks"


@pytest.mark.parametrize("kind", AlertKind)
def test_every_alert_has_a_title(kind: AlertKind) -> None:
    """Words, with a capital."""
    title = machine_words.alert_title(kind)

    assert title[0].isupper()
    assert "_" not in title


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0.0 s"), (4.24, "4.2 s"), (9.99, "10.0 s"), (59.4, "59 s"), (72, "1 min 12 s"), (11_100, "3 h 5 min")],
)
def test_a_stopwatch_is_as_fine_as_it_has_to_be(seconds: float, text: str) -> None:
    """Tenths for what takes seconds."""
    assert machine_words.stopwatch(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (512, "512 B"), (480 * 10**9, "447 GiB"), (2**40, "1 TiB")])
def test_a_size_is_in_the_largest_unit(count: int, text: str) -> None:
    """As disks are sold and as they are counted differ; what is shown is counted."""
    assert machine_words.size(count) == text


def test_all_words_are_known_to_the_templates() -> None:
    """By their own names."""
    assert all(FILTERS[name] is getattr(machine_words, name) for name in FILTERS)
