"""Credentials for the engine's providers: in its child's environment, and nowhere else."""

from api.settings import WorkerSettings
from automation.engine.contract import EngineSecrets
from automation.operations.guests import NodeAccess


def engine_secrets(node: NodeAccess, passphrase: str, settings: WorkerSettings) -> EngineSecrets:
    """Return all that a child of the engine needs and nobody may store, for a stack on ``node``."""
    return EngineSecrets(
        backend_url=settings.state_database_url.get_secret_value(),
        passphrase=passphrase,
        provider_environment=provider_environment(node, settings),
    )


def provider_environment(node: NodeAccess, settings: WorkerSettings) -> dict[str, str]:
    """Return what the proxmoxve and cloudflare providers read from their environment.

    One stack lives on one node, so its default provider is that node's.
    """
    environment = {
        "PROXMOX_VE_ENDPOINT": node.endpoint,
        "PROXMOX_VE_API_TOKEN": node.api_token,
        "PROXMOX_VE_INSECURE": "false" if node.verify_tls else "true",
        "CLOUDFLARE_API_TOKEN": settings.cloudflare_api_token.get_secret_value(),
    }
    if settings.cloudflare_base_url is not None:
        environment["CLOUDFLARE_BASE_URL"] = str(settings.cloudflare_base_url).rstrip("/")
    return environment
