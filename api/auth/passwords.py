"""Passwords: argon2id, with a bound on how many are computed at once."""

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Hashes and checks passwords; every call blocks for some tens of milliseconds of one core.

    The default cost is argon2-cffi's, the low-memory profile of RFC 9106 (64 MiB): raising it later takes effect at
    each customer's next login. ``at_once`` bounds memory: a flood of logins waits instead of using it all up.
    """

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = 4) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = threading.BoundedSemaphore(at_once)
        self._nobody = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the encoded hash to be stored."""
        with self._slots:
            return self._hasher.hash(_normalise(password))

    def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether ``password`` is the hashed one; without a hash (unknown account), work as long and say no."""
        with self._slots:
            try:
                self._hasher.verify(encoded or self._nobody, _normalise(password))
            except (VerificationError, InvalidHashError):
                return False
        return encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(encoded)


def _normalise(password: str) -> str:
    """Make one spelling of what keyboards and systems spell differently (NIST SP 800-63B, section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
