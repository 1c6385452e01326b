"""Seals secrets that have to be stored: node credentials and stack passphrases."""

import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


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


def generate_key() -> str:
    """Make a new master key."""
    return Fernet.generate_key().decode()


def generate_passphrase() -> str:
    """Make a random passphrase of 256 bits for one stack."""
    return secrets.token_urlsafe(32)
