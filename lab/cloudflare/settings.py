"""What the supervisor tells the Cloudflare process."""

from pydantic import BaseModel

from lab.document import CloudflareSection


class CloudflareSettings(BaseModel):
    """Port and credentials, the control token, and the file that outlives a run (none if empty).

    A ``bare`` account has no zone until somebody makes one, which then gets an id of its own.
    """

    section: CloudflareSection
    control_token: str
    memory: str = ""
    bare: bool = False
