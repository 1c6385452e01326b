"""Password hashes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from argon2 import PasswordHasher

from api.auth.passwords import Passwords
from tests.fixtures.api import cheap_passwords


def test_the_default_cost_is_what_rfc_9106_recommends() -> None:
    """Argon2id, 64 MiB, three passes, four lanes: the RFC's second recommended option."""
    assert Passwords().hash("correct horse battery").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_only_the_right_password_verifies() -> None:
    """And equal passwords have different hashes."""
    passwords = cheap_passwords()
    first, second = passwords.hash("correct horse battery"), passwords.hash("correct horse battery")

    assert passwords.verify(first, "correct horse battery")
    assert not passwords.verify(first, "Correct horse battery")
    assert first != second


@pytest.mark.parametrize("encoded", [None, "", "cannot log in", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
def test_no_password_fits_an_unknown_account_or_a_broken_hash(encoded: str | None) -> None:
    """It is a plain no, never an exception."""
    assert not cheap_passwords().verify(encoded, "correct horse battery")


def test_an_unknown_account_costs_a_real_verification() -> None:
    """Whoever measures the time learns nothing: without a hash, one of the same cost is checked."""
    seen: list[str] = []

    class Recording(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the base's name
            seen.append(str(hash))
            return super().verify(hash, password)

    passwords = Passwords(Recording(time_cost=1, memory_cost=8, parallelism=1))
    passwords.verify(None, "correct horse battery")

    (checked,) = seen
    assert checked.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_two_spellings_of_one_password_are_one() -> None:
    """A composed and a decomposed umlaut look the same to whoever types them."""
    passwords = cheap_passwords()

    assert passwords.verify(passwords.hash("grüße an alle"), "gru\u0308ße an alle")


def test_a_hash_of_another_cost_is_outdated() -> None:
    """So that it is made anew when its owner logs in."""
    cheap = cheap_passwords().hash("correct horse battery")

    assert Passwords().is_outdated(cheap)
    assert not cheap_passwords().is_outdated(cheap)


def test_a_flood_of_logins_does_not_use_up_the_memory() -> None:
    """No more hashes than allowed are computed at once; the others wait their turn."""
    lock, running, peak = threading.Lock(), 0, 0

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the base's name
            nonlocal running, peak
            with lock:
                running += 1
                peak = max(peak, running)
            try:
                return super().verify(hash, password)
            finally:
                with lock:
                    running -= 1

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1), at_once=2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: passwords.verify(None, "correct horse battery"), range(100)))

    assert 1 <= peak <= 2
