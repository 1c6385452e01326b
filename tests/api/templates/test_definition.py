"""A template is data; what the engine could not run is refused when the document is read."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.catalogue.seed import load_catalogue
from api.templates.definition import TemplateDefinition
from components.specs import WorkloadKind

GAME: dict[str, Any] = {"kind": "game_server", "game": "chess", "start_command": ["chessd"]}
VM: dict[str, Any] = {"kind": "cloud_vm", "user": "debian"}
BOT: dict[str, Any] = {"kind": "bot", "start_command": ["python3", "main.py"]}
IMAGE: dict[str, Any] = {"name": "debian-12", "sha256": "a" * 64, "content_sha256": "b" * 64, "size_bytes": 1 << 30}
METAL: dict[str, Any] = {"kind": "bare_metal", "user": "debian", "machine_image": IMAGE, "layouts": ["single"]}


def test_memory_is_written_into_the_start_command_with_headroom() -> None:
    """Four fifths of the guest's memory, in whole MiB: a Java heap is not all that Java needs."""
    definition = TemplateDefinition.model_validate(GAME | {"start_command": ["java", "-Xmx{memory_mib}M", "-jar"]})
    assert definition.command_for(4096) == ("java", "-Xmx3276M", "-jar")


def test_a_command_without_a_placeholder_stays_as_it_is() -> None:
    """Not every program wants to know."""
    assert TemplateDefinition.model_validate(BOT).command_for(256) == ("python3", "main.py")


@pytest.mark.parametrize("document", [GAME, VM, BOT, METAL])
def test_each_kind_has_its_smallest_definition(document: dict[str, Any]) -> None:
    """What is not said has a safe default: no open port, no environment."""
    definition = TemplateDefinition.model_validate(document)
    assert (definition.ports, definition.environment) == ((), {})


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (GAME | {"user": "root"}, "'user' belongs to templates of cloud VM"),
        (VM | {"user": None}, "'user' belongs to templates of cloud VM"),
        (BOT | {"game": "chess"}, "'game' belongs to game server"),
        (GAME | {"game": None}, "'game' belongs to game server"),
        (BOT | {"start_command": []}, "'start_command' belongs to container"),
        (VM | {"start_command": ["init"]}, "'start_command' belongs to container"),
        (VM | {"environment": {"A": "1"}}, "'environment' belongs to container"),
        (METAL | {"user": None}, "'user' belongs to templates of cloud VM"),
        (METAL | {"start_command": ["init"]}, "'start_command' belongs to container"),
        (METAL | {"machine_image": None}, "'machine_image' and 'layouts' belong to bare-metal"),
        (METAL | {"layouts": []}, "'machine_image' and 'layouts' belong to bare-metal"),
        (VM | {"layouts": ["single"]}, "'machine_image' and 'layouts' belong to bare-metal"),
        (BOT | {"machine_image": IMAGE}, "'machine_image' and 'layouts' belong to bare-metal"),
        (METAL | {"ports": [{"protocol": "tcp", "first": 22, "last": 22}]}, "'ports' belong to guests"),
    ],
)
def test_what_does_not_belong_to_a_kind_is_refused(document: dict[str, Any], complaint: str) -> None:
    """Silence would mean that it is ignored."""
    with pytest.raises(ValidationError, match=complaint):
        TemplateDefinition.model_validate(document)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (VM | {"user": "Root User"}, "user"),
        (GAME | {"game": "chess\n- runcmd"}, "game"),
        (GAME | {"minimum_memory_mib": -1}, "minimum_memory_mib"),
        (GAME | {"ports": [{"protocol": "tcp", "first": 0, "last": 70000}]}, "first"),
        (GAME | {"ports": [{"protocol": "tcp", "first": 20, "last": 10}]}, "ports"),
        (GAME | {"start_command": [""]}, "start_command"),
        (GAME | {"environment": {"lower case": "1"}}, "environment"),
        (GAME | {"colour": "red"}, "colour"),
    ],
)
def test_what_the_engine_would_refuse_is_refused_here(document: dict[str, Any], field: str) -> None:
    """Otherwise the first customer would find out."""
    with pytest.raises(ValidationError) as caught:
        TemplateDefinition.model_validate(document)
    assert any(field in error["loc"] for error in caught.value.errors())


def test_the_shipped_templates_cover_every_kind_and_declare_their_ports() -> None:
    """At least two games, each with ports and a memory that its smallest size may not have."""
    definitions = [template.definition for template in load_catalogue().templates]
    assert {definition.kind for definition in definitions} == set(WorkloadKind)
    games = [definition for definition in definitions if definition.kind is WorkloadKind.GAME_SERVER]
    assert len(games) >= 2
    assert all(game.ports and game.minimum_memory_mib >= 1024 for game in games)
