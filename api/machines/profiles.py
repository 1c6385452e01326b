"""What the next installation of a machine writes, and what the last one wrote."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from components.specs.machine import BootProfile


def profile_document(profile: BootProfile) -> dict[str, Any]:
    """Return a profile as it is stored and hashed: JSON's own types only."""
    return profile.model_dump(mode="json")


def profile_digest(document: Mapping[str, Any] | None) -> str | None:
    """Return the SHA-256 of a profile in its canonical form (sorted keys, no spaces); None if there is none."""
    if document is None:
        return None
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def installed_document(profile: Mapping[str, Any], at: str) -> dict[str, Any]:
    """Return what is kept of an installation that was verified ``at`` that moment (ISO 8601)."""
    image = profile["image"]
    return {
        "image": image["name"],
        "content_sha256": image["content_sha256"],
        "profile_digest": profile_digest(profile),
        "at": at,
    }
