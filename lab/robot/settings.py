"""What the supervisor tells the Robot process."""

from pydantic import BaseModel

from lab.document import RobotSection


class RobotSettings(BaseModel):
    """Port and credentials, the control token, the servers' names, and the file that outlives a run (none if empty).

    ``switching`` is how long, in seconds, the network takes over a change of a vSwitch or a firewall.
    """

    section: RobotSection
    control_token: str
    servers: tuple[str, ...] = ()
    switching: float = 0.2
    memory: str = ""
