"""The guests that customers order: virtual machines and containers, each with its firewall and its names."""

from components.compute.bot import Bot
from components.compute.cloud_vm import CloudVm
from components.compute.game_server import GameServer
from components.compute.workload import Workload

__all__ = ["Bot", "CloudVm", "GameServer", "Workload"]
