"""The generated files by the tools of the programs that read them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.specs.signals import PREFIX, SIGNALS, MetricKind
from tests.fixtures.observability import ROOT
from tests.fixtures.platform_tools import run, tool

EXPRESSIONS = Path(__file__).parent / "rules_test.yml"


def test_promtool_finds_configuration_and_rules_good(delivered: Path) -> None:
    """With the secrets' files in their places, which it looks for."""
    assert "22 rules found" in run("promtool", "check", "rules", delivered / "rules.yml")
    assert "SUCCESS" in run("promtool", "check", "config", delivered / "prometheus.yml")


def test_rules_fire_when_they_should_and_not_before(delivered: Path, tmp_path: Path) -> None:
    """Made-up series are played through the rules (``rules_test.yml``)."""
    rules = yaml.safe_load((delivered / "rules.yml").read_text())
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        del rule["annotations"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    document = yaml.safe_load(EXPRESSIONS.read_text(encoding="utf-8"))
    played = tmp_path / "rules_test.yml"
    played.write_text(yaml.safe_dump({**document, "rule_files": ["rules.yml"]}))

    assert "SUCCESS" in run("promtool", "test", "rules", played)


def test_every_alert_is_played(delivered: Path) -> None:
    """A rule that nobody has seen fire is a guess."""
    document = yaml.safe_load(EXPRESSIONS.read_text(encoding="utf-8"))
    fired = {
        step["alertname"] for test in document["tests"] for step in test["alert_rule_test"] if step.get("exp_alerts")
    }
    assert {rule["alert"] for rule in _rules(delivered)} - fired == set()


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("alertname=HostDown", "severity=critical"), "slipway,on-call"),
        (("alertname=DriftFound", "severity=warning"), "slipway"),
        (("alertname=Unknown",), "nobody"),
    ],
)
def test_amtool_routes_each_severity_to_who_hears_it(delivered: Path, labels: tuple[str, ...], receivers: str) -> None:
    """Critical ones wake somebody, warnings wait on the staff's page."""
    configuration = f"--config.file={delivered / 'alertmanager.yml'}"
    assert "SUCCESS" in run("amtool", "check-config", delivered / "alertmanager.yml")
    run("amtool", "config", "routes", "test", configuration, f"--verify.receivers={receivers}", *labels)


def test_the_prober_reads_its_modules(delivered: Path) -> None:
    """They are the ones that the scrape configuration asks for."""
    modules = yaml.safe_load((delivered / "blackbox.yml").read_text())["modules"]
    run("prometheus-blackbox-exporter", "--config.check", f"--config.file={delivered / 'blackbox.yml'}")
    jobs = yaml.safe_load((delivered / "prometheus.yml").read_text())["scrape_configs"]
    assert {job["params"]["module"][0] for job in jobs if job.get("metrics_path") == "/probe"} == set(modules)


def test_dashboards_ask_questions_that_prometheus_understands(delivered: Path, tmp_path: Path) -> None:
    """Each query is made a rule, for promtool reads those."""
    queries = [target["expr"] for _, panel in _panels(delivered) for target in panel["targets"] if _is_promql(target)]
    asked = {
        "groups": [
            {
                "name": "dashboards",
                "rules": [{"record": f"asked:{number}", "expr": query} for number, query in enumerate(queries)],
            }
        ]
    }
    file = tmp_path / "dashboards.yml"
    file.write_text(yaml.safe_dump(asked))
    assert f"{len(queries)} rules found" in run("promtool", "check", "rules", file)
    assert len(queries) > 20


def test_dashboards_have_what_grafana_needs(delivered: Path) -> None:
    """Ids that are their own, panels that do not overlap and fit the grid, data sources that are provisioned."""
    sources = yaml.safe_load((delivered / "grafana/datasources/slipway.yaml").read_text())["datasources"]
    known = {source["uid"] for source in sources}
    seen: dict[str, list[dict[str, Any]]] = {}
    for page, panel in _panels(delivered):
        seen.setdefault(page, []).append(panel)
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])} <= known
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    assert set(seen) == {"slipway-overview", "slipway-nodes", "slipway-operations", "slipway-money"}
    for panels in seen.values():
        squares = [square for panel in panels for square in _squares(panel["gridPos"])]
        assert len(squares) == len(set(squares))
        assert len({panel["id"] for panel in panels}) == len(panels)


def test_rules_and_dashboards_name_only_metrics_that_we_have(delivered: Path) -> None:
    """With the labels that they have: a query of a metric that nobody exports is true for ever, or never."""
    expressions = [rule["expr"] for rule in _rules(delivered)]
    expressions += [target["expr"] for _, panel in _panels(delivered) for target in panel["targets"]]
    names = {name for text in expressions for name in re.findall(rf"\b{PREFIX}\w+", text)}
    exported = {name for signal in SIGNALS for name in _series(signal.name, signal.kind)}
    assert names <= exported
    assert {signal.name for signal in SIGNALS} <= {re.sub("_(bucket|count|sum)$", "", name) for name in names}


def test_every_alert_has_a_runbook_that_exists_and_a_steady_summary(delivered: Path) -> None:
    """A measured value in the summary would take the staff's acknowledgement back with each scrape."""
    for rule in _rules(delivered):
        link = rule["annotations"]["runbook_url"]
        assert (ROOT / "docs" / "runbooks" / link.rsplit("/", 1)[1]).is_file(), link
        assert "$value" not in rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_no_rule_looks_at_the_alerts_that_come_from_rules(delivered: Path) -> None:
    """Else an alert would keep itself alive by way of the API's own count."""
    about_alerts = [rule["expr"] for rule in _rules(delivered) if "slipway_alerts_open" in rule["expr"]]
    assert about_alerts
    assert all(re.search(r'kind="(backup_missing|audit_broken)"', text) for text in about_alerts)


def test_scripts_are_read_by_the_shell(delivered: Path) -> None:
    """Both run under Debian's plain shell."""
    for name in ("apply", "pve-modules"):
        run("sh", "-n", delivered / name)
    assert tool("sh")


def _rules(delivered: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((delivered / "rules.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def _panels(delivered: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((delivered / "grafana" / "dashboards").glob("*.json")):
        page = json.loads(file.read_text())
        yield from ((page["uid"], panel) for panel in page["panels"])


def _is_promql(target: dict[str, Any]) -> bool:
    return bool(target["datasource"]["uid"] == "prometheus")


def _squares(position: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(position["x"], position["x"] + position["w"]):
        for y in range(position["y"], position["y"] + position["h"]):
            yield x, y


def _series(name: str, kind: MetricKind) -> set[str]:
    return {f"{name}_{part}" for part in ("bucket", "count", "sum")} if kind is MetricKind.HISTOGRAM else {name}
