"""A bot: a small container that dials out."""

from functools import partial

import pulumi

from components.compute.container import make_container
from components.compute.workload import GuestWorkload
from components.specs import BotSpec

STOP_SECONDS = 30


class Bot(GuestWorkload):
    """A container that runs one program and answers on no port unless the order declares one."""

    def __init__(self, name: str, spec: BotSpec, *, opts: pulumi.ResourceOptions | None = None) -> None:
        guest = partial(make_container, name, spec, STOP_SECONDS)
        super().__init__("slipway:compute:Bot", name, spec, guest, opts=opts)
