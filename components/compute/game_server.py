"""A game server: a container whose program is the game."""

from functools import partial

import pulumi

from components.compute.container import make_container
from components.compute.workload import GuestWorkload
from components.specs import GameServerSpec

STOP_SECONDS = 120
"""A large world takes a minute or two to save."""


class GameServer(GuestWorkload):
    """A container that runs one game, as the game's template declares it: command, environment and open ports."""

    def __init__(self, name: str, spec: GameServerSpec, *, opts: pulumi.ResourceOptions | None = None) -> None:
        guest = partial(make_container, name, spec, STOP_SECONDS)
        super().__init__("slipway:compute:GameServer", name, spec, guest, opts=opts)
