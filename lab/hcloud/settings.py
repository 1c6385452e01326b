"""What the supervisor tells the Hetzner Cloud process."""

from pydantic import BaseModel

from lab.document import HcloudSection


class HcloudSettings(BaseModel):
    """Port and tokens, the control token, how long actions take (seconds), the file that outlives a run (or empty)."""

    section: HcloudSection
    control_token: str
    action_delay: float = 0.0
    memory: str = ""
