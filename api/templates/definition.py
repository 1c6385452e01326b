"""What a template version says, as data: a new game is a new document, not new code."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.specs import CommandWord, PortRule, VariableName, WorkloadKind
from components.specs.machine import DiskLayout, MachineImage

_PLACEHOLDER = "{memory_mib}"
_HEADROOM = 0.8
_CONTAINERS = frozenset({WorkloadKind.GAME_SERVER, WorkloadKind.BOT})


class TemplateDefinition(BaseModel):
    """One template version.

    Attributes:
        user: the account that gets the customer's keys (cloud VMs, whose cloud-init makes it, and machines).
        game: the game's short name (game servers only).
        start_command: words of the command; ``{memory_mib}`` becomes four fifths of the guest's memory in MiB,
            so that a Java heap leaves room for the rest.
        minimum_memory_mib: smaller sizes are refused at the order.
        machine_image: what is written to a machine's disks (bare metal only).
        layouts: how the disks may be used, the usual way first (bare metal only).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: WorkloadKind
    user: Annotated[str | None, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = None
    game: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,63}$")] = None
    ports: tuple[PortRule, ...] = ()
    minimum_memory_mib: Annotated[int, Field(ge=128)] = 128
    start_command: tuple[CommandWord, ...] = ()
    environment: dict[VariableName, str] = Field(default_factory=dict)
    machine_image: MachineImage | None = None
    layouts: tuple[DiskLayout, ...] = ()

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        is_metal = self.kind is WorkloadKind.BARE_METAL
        is_container = self.kind in _CONTAINERS
        if (is_metal or self.kind is WorkloadKind.CLOUD_VM) != (self.user is not None):
            raise ValueError("'user' belongs to templates of cloud VMs and machines, and each of them needs one")
        if (self.kind is WorkloadKind.GAME_SERVER) != (self.game is not None):
            raise ValueError("'game' belongs to game server templates, and each of them needs one")
        if is_container != bool(self.start_command):
            raise ValueError("'start_command' belongs to container templates, and each of them needs one")
        if not is_container and self.environment:
            raise ValueError("'environment' belongs to container templates")
        if is_metal != (self.machine_image is not None) or is_metal != bool(self.layouts):
            raise ValueError(
                "'machine_image' and 'layouts' belong to bare-metal templates, and each of them needs both"
            )
        if is_metal and self.ports:
            raise ValueError("'ports' belong to guests: what a machine lets in is for its own firewall to say")
        return self

    def command_for(self, memory_mib: int) -> tuple[str, ...]:
        """Return the start command for a guest with this much memory (MiB)."""
        heap = str(int(memory_mib * _HEADROOM))
        return tuple(word.replace(_PLACEHOLDER, heap) for word in self.start_command)
