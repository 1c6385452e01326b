"""What customers order: guests with their firewalls, machines of their own, and the names of both."""

from components.compute.bare_metal import BareMetal
from components.compute.bot import Bot
from components.compute.cloud_vm import CloudVm
from components.compute.game_server import GameServer
from components.compute.workload import GuestWorkload, Workload

__all__ = ["BareMetal", "Bot", "CloudVm", "GameServer", "GuestWorkload", "Workload"]
