"""Secrets of one boot: 256 bits each, of letters, digits, ``-`` and ``_`` only, so that kernel and shell take them."""

import hmac
import secrets


def new_token() -> str:
    """Make the one-time token of a boot script, or the session that a check-in is answered with."""
    return secrets.token_urlsafe(32)


def callback_of(secret: str) -> str:
    """Return what the installed system shows when it calls back.

    It follows from the boot's session (of an installer: from its token), so that it can be handed out as often as the
    machine asks, and only its hash has to be stored.
    """
    return hmac.digest(secret.encode(), b"slipway callback", "sha256").hex()


def signature_of(session: str, body: bytes) -> str:
    """Return how a machine signs a report: HMAC-SHA256 under its session's text, in hexadecimal."""
    return hmac.digest(session.encode(), body, "sha256").hex()


def is_signature(offered: str, session: str, body: bytes) -> bool:
    """Tell, in constant time, whether a report is signed under this session."""
    return hmac.compare_digest(signature_of(session, body).encode(), offered.lower().encode("utf-8", "surrogateescape"))
