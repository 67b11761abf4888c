"""`dialer metrics`: what is shipped for Prometheus and Grafana."""

from __future__ import annotations

import json

import pytest

from dialer.cli.main import main
from dialer.monitoring.declarations import METRICS

SEVERITIES = {"critical", "warning"}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["metrics", *arguments]) == 0
    return capsys.readouterr().out


def test_the_rules_are_groups_of_alerts_each_with_all_that_a_reader_of_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    groups = json.loads(printed(capsys, "rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({group["name"] for group in groups}) == len(groups)
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in SEVERITIES
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule.get("for", "1m").rstrip("m").isdigit()


def test_the_dashboard_has_panels_that_do_not_overlap_and_ask_the_chosen_source(capsys: pytest.CaptureFixture[str]) -> None:
    dashboard = json.loads(printed(capsys, "dashboard"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 15
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
            assert 'instance=~"$instance"' in target["expr"]
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "instance"]


def test_the_list_has_every_metric_by_the_name_of_a_scrape(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "list")
    assert [metric.shown_name for metric in METRICS if metric.shown_name not in shown] == []


def test_a_configuration_is_nothing_that_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "rules", "-c", "dialer.toml"]) == 2
    assert "nothing that metrics reads" in capsys.readouterr().err
