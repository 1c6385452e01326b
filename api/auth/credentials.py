"""Random credentials. All have 256 bits of entropy, so a plain SHA-256 is enough to store them safely."""

import base64
import hashlib
import hmac
import secrets

TOKEN_PREFIX = "slw_"  # noqa: S105 - a prefix by which secret scanners know our tokens, not a secret


def new_api_token() -> str:
    """Make an API token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_session_token() -> str:
    """Make the value of a session cookie."""
    return secrets.token_urlsafe(32)


def csrf_token_of(session_token: str) -> str:
    """Return the session's CSRF token.

    It follows from the cookie, which scripts of other sites can send but not read; so a page can ask for it again
    after a reload, and nothing more has to be stored in clear.
    """
    mac = hmac.digest(session_token.encode(), b"slipway csrf token", "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def digest(credential: str) -> bytes:
    """Return what is stored of a credential."""
    return hashlib.sha256(credential.encode("utf-8", "surrogateescape")).digest()


def matches(credential: str, stored: bytes) -> bool:
    """Tell, in constant time, whether ``stored`` is the digest of ``credential``."""
    return hmac.compare_digest(digest(credential), stored)
