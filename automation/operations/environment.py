"""Credentials for the engine's providers: in its child's environment, and nowhere else."""

from collections.abc import Mapping

from pydantic import SecretStr

from api.settings import WorkerSettings
from automation.engine.contract import EngineSecrets
from automation.operations.guests import NodeAccess
from pxe.power.settings import BmcKind, BmcSettings


def engine_secrets(place: Mapping[str, str], passphrase: str, settings: WorkerSettings) -> EngineSecrets:
    """Return all that a child of the engine needs and nobody may store, for a stack at a place.

    Args:
        place: what reaches it: ``node_environment`` or ``metal_environment``; empty where nothing is to be reached.
        passphrase: of the stack.
        settings: the worker's.
    """
    return EngineSecrets(
        backend_url=settings.state_database_url.get_secret_value(),
        passphrase=passphrase,
        provider_environment={**place, **dns_environment(settings)},
    )


def node_environment(node: NodeAccess) -> dict[str, str]:
    """Return what the proxmoxve provider reads from its environment.

    One stack lives on one node, so its default provider is that node's.
    """
    return {
        "PROXMOX_VE_ENDPOINT": node.endpoint,
        "PROXMOX_VE_API_TOKEN": node.api_token,
        "PROXMOX_VE_INSECURE": "false" if node.verify_tls else "true",
    }


def metal_environment(
    bmc: BmcSettings, grant: str, settings: WorkerSettings, following: SecretStr | None = None
) -> dict[str, str]:
    """Return what the providers of machines read: where the machine API is, what they may do there, and the BMC.

    Args:
        bmc: how it is reached.
        grant: for one operation on one machine.
        settings: the worker's.
        following: what the password at the BMC is to be after a wipe; None if it stays.
    """
    rotation = {} if following is None else {"SLIPWAY_BMC_NEXT_PASSWORD": following.get_secret_value()}
    return {
        **rotation,
        **_boot_environment(with_boot_service(bmc, settings)),
        "SLIPWAY_METAL_URL": str(settings.metal_url or settings.public_url).rstrip("/"),
        "SLIPWAY_METAL_GRANT": grant,
        "SLIPWAY_BMC_DRIVER": bmc.driver.value,
        "SLIPWAY_BMC_ADDRESS": bmc.address,
        "SLIPWAY_BMC_SYSTEM": bmc.system,
        "SLIPWAY_BMC_USER": bmc.user,
        "SLIPWAY_BMC_PASSWORD": bmc.password.get_secret_value(),
        "SLIPWAY_BMC_VERIFY_TLS": str(bmc.verify_tls).lower(),
    }


def with_boot_service(bmc: BmcSettings, settings: WorkerSettings) -> BmcSettings:
    """Add to what is recorded of a machine where the boot service is; only machines without network boot need it."""
    url = "" if settings.pxe_url is None else str(settings.pxe_url).rstrip("/")
    return bmc.model_copy(update={"boot_url": url, "boot_network": settings.pxe_network})


def _boot_environment(bmc: BmcSettings) -> dict[str, str]:
    if bmc.driver is not BmcKind.ROBOT:
        return {}
    found = {
        "MAC": bmc.boot_mac,
        "VLAN": bmc.boot_vlan,
        "ADDRESS": bmc.boot_address,
        "URL": bmc.boot_url,
        "NETWORK": bmc.boot_network,
    }
    return {f"SLIPWAY_BMC_BOOT_{name}": str(value) for name, value in found.items() if value}


def dns_environment(settings: WorkerSettings) -> dict[str, str]:
    """Return what the cloudflare provider reads."""
    environment = {"CLOUDFLARE_API_TOKEN": settings.cloudflare_api_token.get_secret_value()}
    if settings.cloudflare_base_url is not None:
        environment["CLOUDFLARE_BASE_URL"] = str(settings.cloudflare_base_url).rstrip("/")
    return environment
