"""What `slipway doctor` finds, with real servers and without."""

import httpx
import pytest

from automation.cli.doctor import Finding, examine
from tests.automation.cli.conftest import Terminal
from tests.fixtures.api import Api

NAMES = ("DATABASE_URL", "REDIS_URL", "SLIPWAY_STATE_DATABASE_URL")


def by_name(findings: list[Finding]) -> dict[str, bool]:
    """Whether each thing is well."""
    return {finding.what: finding.is_well for finding in findings}


def test_without_any_address_the_embedded_servers_are_meant() -> None:
    """They are installed here, so there is nothing to do."""
    (finding,) = examine({})
    assert finding.is_well
    assert "embedded" in finding.what


def test_servers_that_answer_are_well(database_url: str, redis_url: str) -> None:
    """And every setting that is missing besides is listed with where to get it."""
    findings = examine(
        {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SLIPWAY_STRIPE_API_BASE": "http://[::1]:9"}
    )
    assert by_name(findings)["PostgreSQL (DATABASE_URL)"]
    assert by_name(findings)["Redis (REDIS_URL)"]
    (missing,) = [finding for finding in findings if finding.what == "SLIPWAY_CLOUDFLARE_API_TOKEN"]
    assert "DNS" in missing.remedy


def test_servers_that_are_away_are_named() -> None:
    """A refused connection is a finding, not a crash."""
    findings = by_name(
        examine(
            {
                "DATABASE_URL": "postgresql://slipway:secret@127.0.0.1:9/slipway",
                "REDIS_URL": "redis://127.0.0.1:9/0",
                "SLIPWAY_STRIPE_API_BASE": "http://127.0.0.1:9",
                "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_x",
            }
        )
    )
    assert not findings["PostgreSQL (DATABASE_URL)"]
    assert not findings["Redis (REDIS_URL)"]
    assert not findings["Stripe at http://127.0.0.1:9"]


@pytest.mark.parametrize("url", ["nonsense", "http://x", "redis://[", ""])
def test_an_address_that_is_none_is_a_finding_too(url: str) -> None:
    """Whatever stands there, the command ends with a report."""
    findings = examine(
        {
            "DATABASE_URL": url,
            "REDIS_URL": url or "x",
            "SLIPWAY_STRIPE_API_BASE": url or "http://[::1]:9",
            "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_ä",
        }
    )
    assert not any(is_well for what, is_well in by_name(findings).items() if "URL" in what or "Stripe" in what)


def test_a_key_that_stripe_does_not_know_is_told(api: Api) -> None:
    """Something answers, and it is not Stripe with our key."""
    assert httpx.get(f"{api.url}/v1/products").is_success
    environment = {
        "REDIS_URL": "x",
        "SLIPWAY_STRIPE_API_BASE": f"{api.url}/v1/me?",
        "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_stale",
    }
    (finding,) = [found for found in examine(environment) if found.what.startswith("Stripe")]
    assert not finding.is_well
    assert "refuses SLIPWAY_STRIPE_SECRET_KEY" in finding.remedy


def test_the_command_prints_parts_and_remedies_and_ends_with_1(terminal: Terminal) -> None:
    """Scripts can ask it whether all is well."""
    terminal.environment |= dict.fromkeys(NAMES, "")
    terminal.environment |= {"REDIS_URL": "redis://127.0.0.1:9", "SLIPWAY_STRIPE_API_BASE": "http://127.0.0.1:9"}
    result = terminal.run("doctor", exit_code=1)
    assert "Pulumi toolchain" in result.stdout
    assert "pulumi-resource-proxmoxve" in result.stdout
    assert "it does not answer" in result.stdout
    assert "something is missing" in result.stderr
