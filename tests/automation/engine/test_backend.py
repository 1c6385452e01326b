"""The state's address."""

import pytest

from automation.engine.backend import state_url


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        (
            "postgresql+psycopg://app:p%40ss@db.example:5433/slipway?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres://app:p%40ss@db.example:5433/state-1?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        ),
        ("postgresql://app@db.example/slipway", "postgres://app@db.example/state-1?sslmode=require"),
        ("postgresql://app@127.0.0.1/slipway?sslmode=prefer", "postgres://app@127.0.0.1/state-1?sslmode=disable"),
        ("postgresql://postgres:@/slipway?host=/run/pg", "postgres://postgres:@/state-1?host=/run/pg"),
        (
            "postgresql+psycopg:///slipway?host=/run/pg&port=5433&options=-csearch_path%3Dx",
            "postgres://postgres:@/state-1?host=/run/pg&port=5433",
        ),
    ],
    ids=["tcp", "without a word on TLS", "loopback", "socket", "socket with extras"],
)
def test_the_state_is_on_the_same_server(dsn: str, expected: str) -> None:
    """Host, user and TLS are the application's; what the CLI's driver would refuse is left out."""
    assert state_url(dsn, "state-1") == expected


@pytest.mark.parametrize("name", ["pulumi_state", "Pulumi", "", "a" * 64, "state/1", "ünder"])
def test_a_database_name_that_harms_the_state_store_is_refused(name: str) -> None:
    """An underscore would switch off the index that every look-up needs."""
    with pytest.raises(ValueError, match="hyphens"):
        state_url("postgresql://app@db.example/slipway", name)


@pytest.mark.parametrize("dsn", ["mysql://app@db/slipway", "postgresql:///slipway", "sqlite:///x"])
def test_an_address_that_is_no_server_is_refused(dsn: str) -> None:
    """The error says what is missing and never shows the address, which may hold a password."""
    with pytest.raises(ValueError, match="database address") as error:
        state_url(dsn, "state-1")

    assert dsn not in str(error.value)
