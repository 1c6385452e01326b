"""What the supervisor tells the Cloudflare process."""

from pydantic import BaseModel

from lab.document import CloudflareSection


class CloudflareSettings(BaseModel):
    """Port and credentials, the control token, and the file that outlives a run (none if empty)."""

    section: CloudflareSection
    control_token: str
    memory: str = ""
