"""Settings of the services, from what is given and what is embedded."""

from pathlib import Path

import pytest

from automation.embedded.environment import (
    HINTS,
    SettingsError,
    check_settings,
    for_api,
    for_servers,
    for_worker,
    lab_settings,
    local_settings,
    settings_problems,
)

COMPLETE = {
    "DATABASE_URL": "postgresql://u:p@127.0.0.1/slipway",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SLIPWAY_STATE_DATABASE_URL": "postgresql://u:p@127.0.0.1/slipway-state",
    "SLIPWAY_MASTER_KEYS": "k",
    "SLIPWAY_PUBLIC_URL": "https://slipway.example",
    "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_x",
    "SLIPWAY_STRIPE_WEBHOOK_SECRETS": "whsec_x",
    "SLIPWAY_CLOUDFLARE_API_TOKEN": "t",
    "SLIPWAY_WORK_ROOT": "/var/lib/slipway/work",
}

PATHS = {"work_root": Path("/w"), "platform_file": Path("/p")}


def test_a_complete_environment_is_accepted() -> None:
    """What the hints list is all that has no default."""
    assert settings_problems(COMPLETE) == []
    assert set(COMPLETE) == set(HINTS)


@pytest.mark.parametrize("variable", sorted(COMPLETE))
def test_each_missing_setting_is_named_with_where_to_get_it(variable: str) -> None:
    """Empty counts as missing: an empty secret is none."""
    with pytest.raises(SettingsError, match=f"{variable} is missing") as error:
        check_settings({**COMPLETE, variable: ""})
    assert [problem.variable for problem in error.value.problems] == [variable]
    assert HINTS[variable] in str(error.value)


def test_a_wrong_setting_is_named_and_its_value_is_not_shown() -> None:
    """A secret pasted into the wrong variable does not end up on the screen."""
    problems = settings_problems({**COMPLETE, "SLIPWAY_LEASE_SECONDS": "sk_live_secret"})
    assert [problem.variable for problem in problems] == ["SLIPWAY_LEASE_SECONDS"]
    assert "is wrong" in str(problems[0])
    assert "sk_live_secret" not in str(problems[0])


def test_a_lab_answers_for_stripe_and_cloudflare() -> None:
    """With a lab nothing is left for the operator to give but what is embedded anyway."""
    lab = {
        "stripe": {"secret_key": "sk_test_1", "webhook_secret": "whsec_1", "base_url": "http://127.0.0.1:1"},
        "cloudflare": {"api_token": "t", "base_url": "http://127.0.0.1:2/client/v4"},
    }
    embedded = {name: COMPLETE[name] for name in list(COMPLETE)[:4]}
    local = local_settings({}, api_url="http://127.0.0.1:3", **PATHS)
    check_settings({**embedded, **local, **lab_settings(lab)})


def test_each_process_gets_no_more_than_it_needs() -> None:
    """Neither the administrator's password, nor the tables' owner, nor, in the API, what opens nodes and DNS."""
    owner = {"MIGRATION_DATABASE_URL": "postgresql://owner:p@127.0.0.1/slipway"}
    settings = {**COMPLETE, **owner, "SLIPWAY_ADMIN_PASSWORD": "p", "PATH": "/bin"}
    assert set(for_worker(settings)) == {*COMPLETE, "PATH"}
    assert set(settings) - set(for_api(settings)) == {
        "SLIPWAY_ADMIN_PASSWORD",
        "MIGRATION_DATABASE_URL",
        "SLIPWAY_CLOUDFLARE_API_TOKEN",
        "SLIPWAY_WORK_ROOT",
    }
    assert for_servers(settings) == {"PATH": "/bin"}


def test_cookies_are_secure_unless_the_address_is_plain_http() -> None:
    """Browsers do not send a Secure cookie over plain HTTP."""
    plain = local_settings({}, api_url="http://127.0.0.1:8080", **PATHS)
    behind_tls = local_settings(
        {"SLIPWAY_PUBLIC_URL": "https://slipway.example"}, api_url="http://127.0.0.1:8080", **PATHS
    )
    assert plain["SLIPWAY_SECURE_COOKIES"] == "false"
    assert plain["SLIPWAY_PUBLIC_URL"] == "http://127.0.0.1:8080"
    assert behind_tls["SLIPWAY_SECURE_COOKIES"] == "true"
    assert behind_tls["SLIPWAY_PUBLIC_URL"] == "https://slipway.example"
