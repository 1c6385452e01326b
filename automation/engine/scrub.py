"""Takes secrets out of text before it is stored or shown."""

import re
from collections.abc import Iterable, Mapping

MASK = "[secret]"
SHORTEST_SECRET = 8
"""Characters; anything shorter would mask ordinary words."""
_SECRET_NAMES = ("TOKEN", "GRANT", "PASS", "SECRET", "KEY", "BACKEND_URL")
_SHAPES = (
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]*(?=@)"),  # user:password in an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+"),
    re.compile(r"(?i)(?<=pveapitoken=)\S+"),
    re.compile(r"[\w.+-]+@[\w.-]+![\w.-]+=[0-9a-fA-F-]{16,}"),  # a Proxmox VE token: user@realm!name=uuid
    re.compile(r"\b[srp]k_(?:test|live)_\w+|\bwhsec_\w+"),  # Stripe
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(
        r"""(?i)\b((?:\w*(?:password|passphrase|passwd|secret|api[_-]?key|token|ticket))["']?\s*[=:]\s*["']?)"""
        r"""(?!\[secret\])[^\s"',;&]+"""
    ),
    re.compile(r"\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_]{32,}\b"),  # long opaque values
)


class Scrubber:
    """Replaces known secrets, and whatever looks like one, by ``[secret]``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Remember the values that must never appear; the very short ones would mask ordinary words."""
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        text = self.known(text)
        for shape in _SHAPES:
            text = shape.sub(rf"\g<1>{MASK}" if shape.groups else MASK, text)
        return text

    def known(self, text: str) -> str:
        """Return ``text`` without the known secrets: for what is public although it looks like one."""
        return text if self._known is None else self._known.sub(MASK, text)


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """Return the values of an environment that must never be shown, told by their names."""
    return [value for name, value in environment.items() if any(part in name for part in _SECRET_NAMES)]
