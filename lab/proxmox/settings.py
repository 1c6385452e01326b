"""What the supervisor tells the Proxmox process. Imports no fakepve: that stays in its own process."""

from pydantic import BaseModel

from lab.document import ProxmoxSection


class ProxmoxSettings(BaseModel):
    """Nodes with their ports and credentials, the certificate file to write, and how long tasks take (seconds).

    ``memory`` is the file that outlives a run; none if empty. ``bare`` nodes start as freshly installed,
    ``blank`` ones without any system.
    """

    section: ProxmoxSection
    control_token: str
    memory: str = ""
    task_delay: float = 0.0
    bare: bool = False
    blank: bool = False
