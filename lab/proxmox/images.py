"""The images that the lab's world can be asked for: no network, no bytes, but addresses, sizes and checksums.

One host is there, :data:`HOST`, with an image at every path that ends as images do. What an image holds is its own
address, so that whoever writes an address down can also write down its checksum: ``printf %s ADDRESS | sha256sum``.
"""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

HOST = "images.slipway.example"
ENDINGS = (".qcow2", ".img", ".raw", ".iso", ".tar.zst", ".tar.xz", ".tar.gz")
MIB = 1024**2
FILE_BYTES = 400 * MIB
DISK_BYTES = 3 * 1024 * MIB
"""The size of an image's file, and of the disk that a virtual machine's image unpacks to."""


@dataclass(frozen=True)
class Image:
    """What is served at an address; ``status`` is HTTP's, 0 where nobody answers."""

    url: str
    status: int

    @property
    def name(self) -> str:
        """The last part of the address."""
        return urlsplit(self.url).path.rpartition("/")[2]

    @property
    def problem(self) -> str | None:
        """What an HTTP client says about it, or None if it can be had."""
        if self.status == 0:
            host = urlsplit(self.url).hostname
            return f"500 Can't connect to {host}:443 (Name or service not known)"
        return None if self.status == 200 else f"{self.status} Not Found"  # noqa: PLR2004 - HTTP's "OK"

    def checksum(self, algorithm: str) -> str:
        """Its digest in hexadecimal."""
        return hashlib.new(algorithm, self.url.encode()).hexdigest()


def look_up(url: str) -> Image:
    """What is at an address."""
    parts = urlsplit(url)
    if parts.hostname != HOST:
        return Image(url, 0)
    return Image(url, 200 if parts.path.endswith(ENDINGS) else 404)
