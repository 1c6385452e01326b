"""What the supervisor tells the process of the machines."""

from pathlib import Path

from pydantic import BaseModel

from lab.document import MetalSection


class MetalSettings(BaseModel):
    """How many machines there are, and what is kept of them in ``folder``: their names, serials and disks.

    ``pools`` are address pools (``203.0.113.0/24``) whose gateway this computer plays for the machines.
    ``real_debian`` adds a real Debian to their images, which takes minutes the first time.
    """

    section: MetalSection
    control_token: str
    folder: Path
    count: int
    disk_mib: tuple[int, ...] = (1024, 1024)
    pools: tuple[str, ...] = ()
    real_debian: bool = False
