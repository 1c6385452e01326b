"""Credentials for the engine's providers."""

from ipaddress import IPv4Address
from pathlib import Path

from pydantic import SecretStr

from automation.operations.environment import (
    engine_secrets,
    metal_environment,
    node_environment,
    with_boot_service,
)
from automation.operations.guests import NodeAccess
from pxe.power.provisioning import Provisioning
from pxe.power.settings import BmcKind, BmcSettings
from tests.fixtures.runner import worker_settings

NODE = NodeAccess("cloud-1", "https://cloud-1.example:8006", verify_tls=True, api_token="slipway@pve!x=secret")


def test_the_providers_get_the_nodes_endpoint_and_the_tokens(tmp_path: Path) -> None:
    """Under the names that the plugins read."""
    environment = engine_secrets(node_environment(NODE), "passphrase", worker_settings(tmp_path)).provider_environment
    assert environment == {
        "PROXMOX_VE_ENDPOINT": "https://cloud-1.example:8006",
        "PROXMOX_VE_API_TOKEN": "slipway@pve!x=secret",
        "PROXMOX_VE_INSECURE": "false",
        "CLOUDFLARE_API_TOKEN": "made up",
    }


def test_a_stand_in_for_cloudflare_is_named_without_a_trailing_slash(tmp_path: Path) -> None:
    """The plugin appends its paths to it."""
    settings = worker_settings(tmp_path, cloudflare_base_url="http://127.0.0.1:9/client/v4/")
    environment = engine_secrets(node_environment(NODE), "passphrase", settings).provider_environment
    assert environment["CLOUDFLARE_BASE_URL"] == "http://127.0.0.1:9/client/v4"


def test_the_nodes_token_shows_in_no_representation() -> None:
    """What is logged by accident holds no credential."""
    assert "secret" not in repr(NODE)


def test_the_providers_of_machines_get_the_api_a_grant_and_the_bmc(tmp_path: Path) -> None:
    """Under the names of the contract, and none of it shows in a representation."""
    bmc = BmcSettings(
        driver=BmcKind.REDFISH,
        address="https://bmc-1.example",
        system="1",
        user="slipway",
        password=SecretStr("bmc-secret"),
        verify_tls=False,
    )
    secrets = engine_secrets(
        metal_environment(bmc, "slg_grant", worker_settings(tmp_path)), "", worker_settings(tmp_path)
    )
    assert secrets.provider_environment == {
        "SLIPWAY_METAL_URL": "http://127.0.0.1",
        "SLIPWAY_METAL_GRANT": "slg_grant",
        "SLIPWAY_BMC_DRIVER": "redfish",
        "SLIPWAY_BMC_ADDRESS": "https://bmc-1.example",
        "SLIPWAY_BMC_SYSTEM": "1",
        "SLIPWAY_BMC_USER": "slipway",
        "SLIPWAY_BMC_PASSWORD": "bmc-secret",
        "SLIPWAY_BMC_VERIFY_TLS": "false",
        "CLOUDFLARE_API_TOKEN": "made up",
    }
    assert "slg_grant" not in repr(secrets)


def test_engines_may_reach_the_machine_api_at_an_address_of_their_own(tmp_path: Path) -> None:
    """A worker beside the API need not go round by the public name."""
    settings = worker_settings(tmp_path, metal_url="http://127.0.0.1:8000/")
    bmc = BmcSettings(driver=BmcKind.FAKE, address="http://127.0.0.1:1", user="u", password=SecretStr("p"))
    assert metal_environment(bmc, "slg_grant", settings)["SLIPWAY_METAL_URL"] == "http://127.0.0.1:8000"


def test_what_a_bmcs_password_is_to_be_goes_to_removals_only(tmp_path: Path) -> None:
    """Without one, the variable is not there: an empty one could be taken for a password."""
    settings = worker_settings(tmp_path)
    bmc = BmcSettings(driver=BmcKind.FAKE, address="http://127.0.0.1:1", user="u", password=SecretStr("p"))
    assert "SLIPWAY_BMC_NEXT_PASSWORD" not in metal_environment(bmc, "slg_grant", settings)
    environment = metal_environment(bmc, "slg_grant", settings, SecretStr("following"))
    assert environment["SLIPWAY_BMC_NEXT_PASSWORD"] == "following"


def test_a_server_at_robot_is_told_where_it_finds_the_boot_service(tmp_path: Path) -> None:
    """What the inventory has of it, and what the workers know; nobody else needs that."""
    settings = worker_settings(tmp_path, pxe_url="http://10.20.0.1:8080/", pxe_network="10.20.0.0/24")
    recorded = BmcSettings(
        driver=BmcKind.ROBOT,
        address="https://robot.example",
        system="321",
        user="u",
        password=SecretStr("p"),
        boot_mac="52:54:00:00:00:01",
        boot_vlan=4001,
        boot_address=IPv4Address("10.20.0.10"),
    )
    environment = metal_environment(recorded, "slg_grant", settings)
    told = {name: value for name, value in environment.items() if name.startswith("SLIPWAY_BMC_BOOT_")}
    assert told == {
        "SLIPWAY_BMC_BOOT_MAC": "52:54:00:00:00:01",
        "SLIPWAY_BMC_BOOT_VLAN": "4001",
        "SLIPWAY_BMC_BOOT_ADDRESS": "10.20.0.10",
        "SLIPWAY_BMC_BOOT_URL": "http://10.20.0.1:8080",
        "SLIPWAY_BMC_BOOT_NETWORK": "10.20.0.0/24",
    }
    place = Provisioning.of(with_boot_service(recorded, settings))
    assert (place.url, str(place.address)) == ("http://10.20.0.1:8080", "10.20.0.10/24")
