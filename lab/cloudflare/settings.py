"""What the supervisor tells the Cloudflare process."""

from pydantic import BaseModel

from lab.document import CloudflareSection


class CloudflareSettings(BaseModel):
    """Port and credentials, and the control token."""

    section: CloudflareSection
    control_token: str
