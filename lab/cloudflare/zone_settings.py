"""The settings that each zone has, and the values that each may take."""

from typing import Any

from lab.cloudflare.errors import ApiError, stamp

ON_OFF = ("on", "off")
VERSIONS = ("1.0", "1.1", "1.2", "1.3")
CHOICES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "always_online": ("off", ON_OFF),
    "always_use_https": ("off", ON_OFF),
    "automatic_https_rewrites": ("on", ON_OFF),
    "brotli": ("on", ON_OFF),
    "browser_check": ("on", ON_OFF),
    "email_obfuscation": ("on", ON_OFF),
    "http3": ("on", ON_OFF),
    "ipv6": ("on", ON_OFF),
    "min_tls_version": ("1.0", VERSIONS),
    "opportunistic_encryption": ("on", ON_OFF),
    "rocket_loader": ("off", ON_OFF),
    "security_level": ("medium", ("off", "essentially_off", "low", "medium", "high", "under_attack")),
    "ssl": ("full", ("off", "flexible", "full", "strict", "origin_pull")),
    "tls_1_3": ("on", ("on", "off", "zrt")),
    "websockets": ("on", ON_OFF),
}
"""By its id, a setting's value in a new zone and all that it may have."""


class ZoneSettings:
    """One zone's settings."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {
            name: {"id": name, "value": first, "editable": True, "modified_on": None}
            for name, (first, _) in CHOICES.items()
        }

    def all(self) -> list[dict[str, Any]]:
        """Every setting."""
        return list(self._values.values())

    def get(self, name: str) -> dict[str, Any]:
        """One setting; :class:`ApiError` if there is none of that id."""
        if name not in self._values:
            raise ApiError(400, 1006, f"Unrecognized zone setting name: {name}")
        return self._values[name]

    def change(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Give a setting another value; :class:`ApiError` if it may not have that."""
        setting = self.get(name)
        if given.get("value") not in CHOICES[name][1]:
            raise ApiError(400, 1007, f"Invalid value for zone setting {name}")
        setting.update(value=given["value"], modified_on=stamp())
        return setting
