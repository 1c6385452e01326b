"""The machines behind the account: their hall, and the lab's own view of them."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lab.rescue.machine import Disk
from lab.rescue.server import Hall, Wiring
from lab.robot.settings import RobotSettings
from lab.robot.world import World


class Pace(BaseModel):
    """How long machines take to boot and to be installed, in seconds."""

    boot: float = Field(ge=0)
    install: float = Field(ge=0)


def hall_of(world: World, settings: RobotSettings) -> Hall:
    """The hall in which the account's servers stand; a reset at Robot boots them."""
    wiring = Wiring(settings.rescue.ports, frozenset(settings.nodes), settings.proxmox_control, settings.control_token)
    hall = Hall(lambda: world.machines, lambda number: _let_in(world, number), wiring)
    world.on_boot = hall.boot
    return hall


def _let_in(world: World, number: int) -> frozenset[str]:
    activated = world.boots.get((number, "rescue"), {})
    return frozenset(item["key"]["fingerprint"] for item in activated.get("authorized_key", ()))


def add_machine_controls(control: APIRouter, world: World, hall: Hall) -> None:
    """``GET /_lab/machines``, ``PUT /_lab/machines/{number}/disk`` and ``PUT /_lab/pace``."""

    @control.get("/machines")
    async def machines() -> dict[int, dict[str, Any]]:
        shown = ("name", "disk", "runs", "installations", "deployer")
        return {item.number: {key: getattr(item, key) for key in shown} for item in world.machines.values()}

    @control.put("/machines/{number}/disk/{disk}", status_code=204)
    async def set_disk(number: int, disk: Disk) -> None:
        world.machines[number].disk = disk

    @control.put("/pace", status_code=204)
    async def set_pace(wanted: Pace) -> None:
        hall.boot_seconds, hall.install_seconds = wanted.boot, wanted.install
