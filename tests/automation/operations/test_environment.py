"""Credentials for the engine's providers."""

from pathlib import Path

from automation.operations.environment import provider_environment
from automation.operations.guests import NodeAccess
from tests.fixtures.runner import worker_settings

NODE = NodeAccess("cloud-1", "https://cloud-1.example:8006", verify_tls=True, api_token="slipway@pve!x=secret")


def test_the_providers_get_the_nodes_endpoint_and_the_tokens(tmp_path: Path) -> None:
    """Under the names that the plugins read."""
    environment = provider_environment(NODE, worker_settings(tmp_path))
    assert environment == {
        "PROXMOX_VE_ENDPOINT": "https://cloud-1.example:8006",
        "PROXMOX_VE_API_TOKEN": "slipway@pve!x=secret",
        "PROXMOX_VE_INSECURE": "false",
        "CLOUDFLARE_API_TOKEN": "made up",
    }


def test_a_stand_in_for_cloudflare_is_named_without_a_trailing_slash(tmp_path: Path) -> None:
    """The plugin appends its paths to it."""
    settings = worker_settings(tmp_path, cloudflare_base_url="http://127.0.0.1:9/client/v4/")
    environment = provider_environment(NODE, settings)
    assert environment["CLOUDFLARE_BASE_URL"] == "http://127.0.0.1:9/client/v4"


def test_the_nodes_token_shows_in_no_representation() -> None:
    """What is logged by accident holds no credential."""
    assert "secret" not in repr(NODE)
