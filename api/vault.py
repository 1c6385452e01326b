"""Seals secrets that have to be stored, and signs what has to be known again as ours."""

import base64
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Vault:
    """Encrypts with the newest of the operator's keys, decrypts with any of them (Fernet: AES-128-CBC and HMAC)."""

    def __init__(self, master_keys: str) -> None:
        """Take comma separated Fernet keys, newest first.

        Raises:
            ValueError: if there is no key, or one is not 32 bytes of URL-safe base64.
        """
        keys = [key.strip() for key in master_keys.split(",") if key.strip()]
        if not keys:
            raise ValueError("SLIPWAY_MASTER_KEYS holds no key: make one with `slipway keys generate`")
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._keys = [base64.urlsafe_b64decode(key) for key in keys]

    def seal(self, secret: str) -> bytes:
        """Encrypt a secret for storage."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt what ``seal`` made.

        Raises:
            ValueError: if none of the keys fits.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise ValueError("none of SLIPWAY_MASTER_KEYS opens this secret: was a key removed too early?") from None

    def sign(self, purpose: str, data: bytes) -> str:
        """Return an HMAC-SHA256 in hexadecimal, under a key that is derived from the newest one for this purpose."""
        return _signature(self._keys[0], purpose, data)

    def is_signed(self, purpose: str, data: bytes, signature: str) -> bool:
        """Tell, in constant time, whether ``sign`` made this for the same purpose, under any of the keys."""
        offered = signature.encode("utf-8", "surrogateescape")
        return any(hmac.compare_digest(_signature(key, purpose, data).encode(), offered) for key in self._keys)


def _signature(master_key: bytes, purpose: str, data: bytes) -> str:
    """Sign with a key of its own for each purpose (HKDF, RFC 5869), so that nothing of Fernet's is used twice."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"slipway {purpose}".encode()).derive(master_key)
    return hmac.digest(key, data, "sha256").hex()


def generate_key() -> str:
    """Make a new master key."""
    return Fernet.generate_key().decode()


def generate_passphrase() -> str:
    """Make a random passphrase of 256 bits for one stack."""
    return secrets.token_urlsafe(32)
