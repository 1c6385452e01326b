"""What a template version says, as data: a new game is a new document, not new code."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.specs import CommandWord, PortRule, VariableName, WorkloadKind

_PLACEHOLDER = "{memory_mib}"
_HEADROOM = 0.8


class TemplateDefinition(BaseModel):
    """One template version.

    Attributes:
        user: the account cloud-init makes (cloud VMs only).
        game: the game's short name (game servers only).
        start_command: words of the command; ``{memory_mib}`` becomes four fifths of the guest's memory in MiB,
            so that a Java heap leaves room for the rest.
        minimum_memory_mib: smaller sizes are refused at the order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: WorkloadKind
    user: Annotated[str | None, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = None
    game: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,63}$")] = None
    ports: tuple[PortRule, ...] = ()
    minimum_memory_mib: Annotated[int, Field(ge=128)] = 128
    start_command: tuple[CommandWord, ...] = ()
    environment: dict[VariableName, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if (self.kind is WorkloadKind.CLOUD_VM) != (self.user is not None):
            raise ValueError("'user' belongs to cloud VM templates, and each of them needs one")
        if (self.kind is WorkloadKind.GAME_SERVER) != (self.game is not None):
            raise ValueError("'game' belongs to game server templates, and each of them needs one")
        if (self.kind is not WorkloadKind.CLOUD_VM) != bool(self.start_command):
            raise ValueError("'start_command' belongs to container templates, and each of them needs one")
        if self.kind is WorkloadKind.CLOUD_VM and self.environment:
            raise ValueError("'environment' belongs to container templates")
        return self

    def command_for(self, memory_mib: int) -> tuple[str, ...]:
        """Return the start command for a guest with this much memory (MiB)."""
        heap = str(int(memory_mib * _HEADROOM))
        return tuple(word.replace(_PLACEHOLDER, heap) for word in self.start_command)
