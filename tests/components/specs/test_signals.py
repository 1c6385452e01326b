"""The contract of metrics."""

import re

from components.specs.signals import PREFIX, SIGNALS, MetricKind
from tests.fixtures.observability import ROOT


def test_the_document_lists_every_metric_as_it_is() -> None:
    """Name, type, labels and meaning; and no other metric of ours."""
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(slipway_\w+)` \| (\w+) \| (.*?)\| (.*) \|$", text, re.MULTILINE)
    documented = [(name, kind, tuple(re.findall(r"`(\w+)`", labels)), meaning) for name, kind, labels, meaning in rows]
    assert documented == [(signal.name, signal.kind, signal.labels, signal.meaning) for signal in SIGNALS]


def test_names_follow_prometheus() -> None:
    """Counters end in ``_total``, nothing else does, and all begin with our prefix."""
    for signal in SIGNALS:
        assert signal.name.startswith(PREFIX)
        assert signal.name.endswith("_total") is (signal.kind is MetricKind.COUNTER)
        assert re.fullmatch(r"[a-z_]+", signal.name)
