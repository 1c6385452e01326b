"""Settings of a stack's default providers, read back from its state. Pure.

Whoever brings a stack up at a terminal has such settings (``hcloud:pollInterval``) in ``Pulumi.<stack>.yaml``. The
state keeps them as the provider's inputs; without them, each run from the pages would show a change of the provider.
The provider of dynamic resources is given the whole configuration, ``slipway:spec`` too, under whole keys.
"""

from collections.abc import Mapping
from typing import Any

_TYPE = "pulumi:providers:"
_DEFAULT = "default"
_ENGINES_OWN = frozenset({"version", "pluginDownloadURL", "parameterization", "__internal"})


def provider_settings(deployment: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the settings by their configuration keys: ``{"hcloud:pollInterval": "3s"}``; plain texts only.

    A secret is no text in a state: it is left out, and comes from the environment.
    """
    found: dict[str, str] = {}
    for resource in (deployment or {}).get("resources") or ():
        name = str(resource.get("urn", "")).rpartition("::")[2]
        kind = str(resource.get("type", ""))
        if not kind.startswith(_TYPE) or not name.startswith(_DEFAULT):
            continue
        package = kind.removeprefix(_TYPE)
        for key, value in (resource.get("inputs") or {}).items():
            if isinstance(value, str) and key not in _ENGINES_OWN:
                found[key if ":" in key else f"{package}:{key}"] = value
    return found
