"""The API's figures are the contract that alert rules and dashboards are written against."""

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.auth.models import Role
from components.specs.signals import PREFIX, SIGNALS, MetricKind
from tests.fixtures.api import Api


def exported(client: httpx.Client) -> dict[str, Metric]:
    """Every metric of ours by the name of its signal; the parser leaves a counter's ending away."""
    text = client.get("/metrics").raise_for_status().text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    ours = {name: family for name, family in families.items() if name.startswith(PREFIX)}
    return {f"{name}_total" if family.type == "counter" else name: family for name, family in ours.items()}


def labels_of(metric: Metric) -> set[frozenset[str]]:
    """Every set of labels that its samples have, without the one of a histogram's buckets."""
    return {frozenset(sample.labels) - {"le"} for sample in metric.samples}


@pytest.mark.usefixtures("house")
def test_every_signal_is_exported_as_it_is_named_and_nothing_else_is(api: Api) -> None:
    """By a running API with something going on in every figure: the same names, kinds and labels, and no other."""
    metrics = exported(api.staff(Role.ADMIN).token_client("inventory:read"))

    assert {name: MetricKind(metric.type) for name, metric in metrics.items()} == {
        signal.name: signal.kind for signal in SIGNALS
    }
    assert {name: labels_of(metric) for name, metric in metrics.items()} == {
        signal.name: {frozenset(signal.labels)} for signal in SIGNALS
    }
