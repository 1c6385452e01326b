"""Settings of default providers, read back from a state."""

from typing import Any

from automation.platform.provider_settings import provider_settings


def _provider(name: str, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:lab-network::slipway::pulumi:providers:hcloud::{name}"
    return {"urn": urn, "type": "pulumi:providers:hcloud", "inputs": inputs}


def test_a_default_providers_settings_are_kept() -> None:
    """What was written into the stack's file at a terminal holds for the pages, too; versions are the engine's own."""
    state = {"resources": [_provider("default_1_43_3", pollInterval="3s", version="1.43.3")]}

    assert provider_settings(state) == {"hcloud:pollInterval": "3s"}


def test_whole_keys_are_kept_as_they_are() -> None:
    """The provider of dynamic resources is given everything that the stack's file says."""
    state = {"resources": [_provider("default", **{"slipway:spec": "{}", "hcloud:pollInterval": "3s"})]}

    assert provider_settings(state) == {"slipway:spec": "{}", "hcloud:pollInterval": "3s"}


def test_secrets_and_providers_of_the_program_are_left_alone() -> None:
    """A secret is no text in a state; an explicit provider has its settings from the program."""
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    state = {"resources": [_provider("default", token=secret), _provider("game-1", endpoint="https://game-1")]}

    assert provider_settings(state) == {}
    assert provider_settings(None) == {}
