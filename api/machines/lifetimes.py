"""How long deployments may take."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from api.settings import Settings
from components.specs.machine import DeploymentKind


def lifetimes(settings: Settings) -> Mapping[DeploymentKind, timedelta]:
    """Return by kind after what time a deployment fails by itself."""
    return MappingProxyType(
        {
            DeploymentKind.INSPECT: timedelta(seconds=settings.machine_inspect_seconds),
            DeploymentKind.INSTALL: timedelta(seconds=settings.machine_install_seconds),
            DeploymentKind.WIPE: timedelta(seconds=settings.machine_wipe_seconds),
            DeploymentKind.RESCUE: timedelta(seconds=settings.machine_rescue_seconds),
        }
    )
