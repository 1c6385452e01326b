"""What the supervisor tells the Robot process."""

from pydantic import BaseModel

from lab.document import RescueSection, RobotSection


class RobotSettings(BaseModel):
    """Port and credentials, the control token, the servers' names, and the file that outlives a run (none if empty).

    ``switching`` is how long, in seconds, the network takes over a change of a vSwitch or a firewall. ``installed``
    names the servers that have Proxmox VE on them at first; ``nodes`` those with a node of the lab behind them, which
    ``proxmox_control`` switches on and off.
    """

    section: RobotSection
    control_token: str
    rescue: RescueSection = RescueSection()
    servers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    proxmox_control: str = ""
    switching: float = 0.2
    memory: str = ""
