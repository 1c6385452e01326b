"""An SSH key that Robot's rescue systems and installations let in."""

import base64
import binascii
import hashlib
from typing import Annotated

from pydantic import AfterValidator, Field

from components.specs.network import Frozen

_KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def _blob(data: str) -> bytes:
    words = data.split()
    if len(words) < 2 or words[0] not in _KINDS:  # noqa: PLR2004 - kind and key
        raise ValueError(f"this is no public SSH key; it begins with one of {', '.join(_KINDS)}")
    try:
        return base64.b64decode(words[1], validate=True)
    except binascii.Error:
        raise ValueError("the middle part of this public SSH key is not Base64") from None


def _without_comment(data: str) -> str:
    _blob(data)
    return " ".join(data.split()[:2])


class RobotKeySpec(Frozen):
    """A public key. It is known by its fingerprint; the name is for people."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
    data: Annotated[str, AfterValidator(_without_comment)]

    @property
    def fingerprint(self) -> str:
        """MD5 over the key, in hexadecimal pairs with colons, as Robot has it."""
        digest = hashlib.md5(_blob(self.data), usedforsecurity=False).hexdigest()
        return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))
