"""The vault's signatures."""

from api.vault import Vault, generate_key


def test_what_is_signed_is_known_again_after_the_keys_were_rotated() -> None:
    """As long as the old key is among them."""
    old, new = generate_key(), generate_key()
    signature = Vault(old).sign("wipe report", b"body")

    assert Vault(f"{new},{old}").is_signed("wipe report", b"body", signature)
    assert not Vault(new).is_signed("wipe report", b"body", signature)


def test_a_signature_is_for_one_purpose_and_one_text() -> None:
    """Each purpose has a key of its own."""
    vault = Vault(generate_key())
    signature = vault.sign("wipe report", b"body")

    assert signature == vault.sign("wipe report", b"body")
    assert not vault.is_signed("something else", b"body", signature)
    assert not vault.is_signed("wipe report", b"Body", signature)
    assert not vault.is_signed("wipe report", b"body", "")
    assert not vault.is_signed("wipe report", b"body", "\udcff")
