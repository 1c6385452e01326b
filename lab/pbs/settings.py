"""What the supervisor tells the Proxmox Backup Server process."""

from pydantic import BaseModel

from lab.document import PbsSection


class PbsSettings(BaseModel):
    """Port and credentials, the file with certificate and key, the control token, and the file that outlives a run."""

    section: PbsSection
    certificate: str
    control_token: str
    memory: str = ""
