"""Dashboards as data, and their JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

PROMETHEUS, LOKI = "prometheus", "loki"
"""Ids of the data sources, as provisioned."""

_COLUMNS = 24
_SCHEMA = 39
"""Version of the dashboard's JSON that Grafana 10 and later read."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        queries: PromQL (LogQL for logs) by legend.
        kind: Grafana's type of panel: ``timeseries``, ``stat``, ``bargauge``, ``table``, ``logs``.
        unit: Grafana's name of a unit: ``short``, ``s``, ``percentunit``, ``bytes``, ``reqps``.
        warn_at: where the colour turns; None leaves it green.
    """

    title: str
    queries: Mapping[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    warn_at: float | None = None
    source: str = PROMETHEUS


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels; ``name`` is its id in links and its file's name."""

    name: str
    title: str
    panels: Sequence[Panel]
    variables: Mapping[str, str] = field(default_factory=dict)
    """Choices at the top of the page: PromQL's ``label_values(…)`` by name."""


def to_json(dashboard: Dashboard) -> str:
    """Return the dashboard as Grafana reads it from a file."""
    document = {
        "uid": f"slipway-{dashboard.name}",
        "title": f"Slipway: {dashboard.title}",
        "tags": ["slipway"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_variable(name, query) for name, query in dashboard.variables.items()]},
        "panels": list(_placed(dashboard.panels)),
    }
    return json.dumps(document, indent=1) + "\n"


def _placed(panels: Iterable[Panel]) -> Iterator[dict[str, Any]]:
    """Put panels beside each other as long as they fit, then begin the next row."""
    x = y = row_height = 0
    for number, panel in zip(count(1), panels, strict=False):
        if x + panel.width > _COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
        x, row_height = x + panel.width, max(row_height, panel.height)


def _panel(panel: Panel, number: int, position: Mapping[str, int]) -> dict[str, Any]:
    source = {"type": panel.source, "uid": panel.source}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.warn_at is not None:
        steps.append({"color": "red", "value": panel.warn_at})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": source,
        "gridPos": dict(position),
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": source, "expr": query, "legendFormat": legend}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": PROMETHEUS, "uid": PROMETHEUS},
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
