"""Names and keys that customers may choose, and the ones we derive, with the rules that make them safe."""

import base64
import binascii
import ipaddress
import re
import struct
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_HOSTNAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
_COMMENT = re.compile(r"[A-Za-z0-9@._+-]{0,128}")
_MAX_KEY_CHARACTERS = 16_384
_MAX_VMID = 999_999_999


def _check_hostname(value: str) -> str:
    if not _HOSTNAME.fullmatch(value):
        raise ValueError("use 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end (RFC 1123)")
    return value


def _check_ssh_public_key(value: str) -> str:
    """Normalise an OpenSSH public key to ``type blob comment`` on one line (RFC 4253, section 6.6)."""
    text = value.strip(" ")
    if len(text) > _MAX_KEY_CHARACTERS:
        raise ValueError(f"an SSH public key has at most {_MAX_KEY_CHARACTERS} characters")
    if not text.isprintable():
        raise ValueError("an SSH public key is one line of printable characters")
    parts = text.split(" ", 2)
    if len(parts) < 2 or parts[0] not in _KEY_TYPES:  # noqa: PLR2004 - type and blob
        raise ValueError("an SSH public key starts with its type, for example 'ssh-ed25519 AAAA… name'")
    kind, blob = parts[0], parts[1]
    try:
        raw = base64.b64decode(blob, validate=True)
        (length,) = struct.unpack_from(">I", raw)
    except (binascii.Error, struct.error, ValueError):
        raise ValueError("the second part of an SSH public key is base64 of the key") from None
    if raw[4 : 4 + length] != kind.encode():
        raise ValueError("the SSH public key's type does not match its content")
    comment = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - the comment is optional
    if not _COMMENT.fullmatch(comment):
        raise ValueError("the comment of an SSH public key may hold letters, digits and @ . _ + - only")
    return f"{kind} {blob} {comment}".rstrip()


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Hostname = Annotated[str, Field(min_length=1, max_length=63), AfterValidator(_check_hostname)]
"""One DNS label as RFC 1123 has it; lower case, so that two workloads cannot differ by case alone."""

SshPublicKey = Annotated[str, AfterValidator(_check_ssh_public_key)]
"""An OpenSSH public key on one line: no newline, quote or YAML can ride along into cloud-init."""

StackName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"), BeforeValidator(_strip)]
"""A Pulumi stack name. ``_`` is refused: it is a wildcard in the state store's prefix queries and panics the CLI."""


def mac_address(vmid: int) -> str:
    """Return the locally administered MAC address of a guest's first interface.

    VMIDs are unique over all nodes and never used twice, so the address is too, and it is known before the
    guest exists: the firewall's MAC filter and a second run of the engine both agree on it.

    Raises:
        ValueError: if ``vmid`` is outside Proxmox VE's range of 100 to 999999999.
    """
    if not 100 <= vmid <= _MAX_VMID:  # noqa: PLR2004 - Proxmox VE's first VMID
        raise ValueError("a VMID lies between 100 and 999999999")
    return "02:53:" + ":".join(f"{byte:02X}" for byte in struct.pack(">I", vmid))


def link_local_address(mac: str) -> ipaddress.IPv6Address:
    """Return the IPv6 link-local address that an interface derives from its MAC address.

    The modified EUI-64 of RFC 4291, appendix A. Neighbour discovery is sent from it, so the address filter has to
    let it through.

    Args:
        mac: six hexadecimal octets separated by colons.
    """
    octets = bytes.fromhex(mac.replace(":", ""))
    universal_bit_flipped = bytes([octets[0] ^ 0x02])
    interface_id = universal_bit_flipped + octets[1:3] + b"\xff\xfe" + octets[3:]
    return ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface_id)
