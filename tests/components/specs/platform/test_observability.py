"""The observability stack's configuration: what can be known to be wrong is refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.fixtures.observability import lab_document, lab_spec

WEBHOOK = {"name": "slipway", "url": "http://10.10.0.11:8000/v1/alertmanager/webhook"}
MAIL = {"name": "on-call", "to": ["on-call@slipway.example"]}


def test_the_labs_own_is_good() -> None:
    """With its defaults."""
    spec = lab_spec()
    assert (str(spec.server.private_address), spec.ports.prometheus, spec.tells_inventory) == ("10.10.2.11", 9090, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alerting": {"webhooks": [], "emails": []}}, "nobody hears of 'critical' alerts"),
        ({"alerting": {"webhooks": [{**WEBHOOK, "severities": ["critical"]}]}}, "nobody hears of 'warning' alerts"),
        ({"alerting": {"webhooks": [WEBHOOK, WEBHOOK]}}, "two receivers are named 'slipway'"),
        ({"alerting": {"webhooks": [WEBHOOK], "emails": [MAIL]}}, "'emails' need 'mail_server'"),
        ({"alerting": {"webhooks": [{**WEBHOOK, "token_file": "../shadow"}]}}, "alerting.webhooks.0.token_file"),
        ({"scrape": {"interval_seconds": 5}}, "'timeout_seconds' must not be above 'interval_seconds'"),
        ({"ports": {"loki": 9090}}, "'prometheus' and 'loki' have the same port 9090"),
        ({"thresholds": {"disk_warning_share": 0.99}}, "'disk_warning_share' must be below"),
        ({"thresholds": {"certificate_warning_days": 1}}, "'certificate_warning_days' must be above"),
        ({"private_network": "10.20.0.0/16"}, "10.10.2.11 is not in 'private_network' 10.20.0.0/16"),
        ({"retention": {"metrics_gib": 100}}, "'retention.metrics_gib' must be below 'volume_gib'"),
        ({"grafana_packages": {"key_fingerprint": "963FA27710458545"}}, "grafana_packages.key_fingerprint"),
        ({"grafana_packages": {"key_fingerprint": "A" * 40, "source": "https://x main; rm -rf /"}}, "source"),
        ({"api_token": "secret"}, "api_token"),
    ],
)
def test_what_is_wrong_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    """Before any resource exists."""
    with pytest.raises(ValidationError) as error:
        lab_spec(**change)
    assert message in str(error.value)


def test_no_secret_has_a_place_in_it() -> None:
    """Every field about a secret is a file's name."""
    text = str(lab_document())
    assert "token_file" in text
    assert "password" not in text.replace("password_file", "")
