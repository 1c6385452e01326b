"""Random credentials and what is stored of them."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from api.auth.credentials import csrf_token_of, digest, matches, new_api_token, new_session_token


def test_tokens_are_new_each_time_and_can_be_recognised_by_scanners() -> None:
    """The prefix stands in front of 256 random bits."""
    tokens = {new_api_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(token.startswith("slw_") and len(token) == 47 for token in tokens)


def test_what_is_stored_is_the_sha256() -> None:
    """And it matches nothing else."""
    token = new_api_token()

    assert digest(token) == hashlib.sha256(token.encode()).digest()
    assert matches(token, digest(token))
    assert not matches(token + "x", digest(token))


def test_a_csrf_token_belongs_to_one_session_and_does_not_give_it_away() -> None:
    """The same session has the same one, another has another, and the cookie is no part of it."""
    one, other = new_session_token(), new_session_token()

    assert csrf_token_of(one) == csrf_token_of(one)
    assert csrf_token_of(one) != csrf_token_of(other)
    assert one not in csrf_token_of(one)


@given(st.text())
def test_anything_that_is_sent_as_a_credential_has_a_digest(sent: str) -> None:
    """Headers are latin-1 and cookies anything: looking them up must not fail."""
    assert len(digest(sent)) == 32
