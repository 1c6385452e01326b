"""What the next installation of a machine writes, and what the last one wrote."""

from collections.abc import Mapping
from typing import Any

from components.specs.machine import BootProfile


def profile_document(profile: BootProfile) -> dict[str, Any]:
    """Return a profile as it is stored: JSON's own types only."""
    return profile.model_dump(mode="json")


def profile_digest(document: Mapping[str, Any] | None) -> str | None:
    """Return by what a stored profile is known (``BootProfile.digest``); None if there is none."""
    return None if document is None else BootProfile.model_validate(document).digest


def installed_document(profile: Mapping[str, Any], at: str) -> dict[str, Any]:
    """Return what is kept of an installation that was verified ``at`` that moment (ISO 8601)."""
    image = profile["image"]
    return {
        "image": image["name"],
        "content_sha256": image["content_sha256"],
        "profile_digest": profile_digest(profile),
        "at": at,
    }
