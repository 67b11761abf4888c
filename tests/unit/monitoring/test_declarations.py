"""The metrics as they are declared: the conventions of Prometheus, and what a scrape makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from dialer.histogram import Histogram
from dialer.monitoring.declarations import METRICS, Metric, MetricKind, documentation

NAMES = [metric.name for metric in METRICS]
UNITS = ("seconds", "bytes", "ratio")
OTHER_UNITS = re.compile(r"(milliseconds|_ms|minutes|hours|kilobytes|percent)(_|$)")
UNBOUNDED = {"number", "identity", "contact", "campaign", "user", "username", "call", "uuid", "address", "id"}


def test_names_are_unique_and_of_one_prefix() -> None:
    assert len(set(NAMES)) == len(NAMES) > 20
    assert all(re.fullmatch(r"dialer(_[a-z]+)+", name) for name in NAMES)


def test_units_are_base_units_at_the_end_of_a_name() -> None:
    assert [name for name in NAMES if OTHER_UNITS.search(name)] == []
    assert [name for name in NAMES if any(unit in name for unit in UNITS) and not name.endswith(UNITS)] == []
    assert [
        metric.name for metric in METRICS if metric.kind is MetricKind.HISTOGRAM and not metric.name.endswith("_seconds")
    ] == []


def test_a_declared_name_has_no_suffix_that_a_scrape_adds() -> None:
    assert [name for name in NAMES if name.endswith(("_total", "_count", "_sum", "_bucket", "_created"))] == []


def test_no_label_is_unbounded() -> None:
    assert [(metric.name, label) for metric in METRICS for label in metric.labels if label in UNBOUNDED] == []


def observed() -> Histogram:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.5, 5.0):
        histogram.observe(seconds)
    return histogram


class Collected:
    def __init__(self, metric: Metric) -> None:
        self.metric = metric

    def collect(self):
        value = observed() if self.metric.kind is MetricKind.HISTOGRAM else 3
        yield self.metric.family([(tuple("x" for _ in self.metric.labels), value)])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    ("write", "parse"),
    [(generate_latest, parse_text), (generate_openmetrics, parse_openmetrics)],
    ids=["text", "openmetrics"],
)
def test_each_metric_is_read_back_from_both_formats_as_it_was_meant(metric, write, parse) -> None:
    registry = CollectorRegistry()
    registry.register(Collected(metric))
    [family] = parse(write(registry).decode())
    assert (family.type, family.documentation) == (metric.kind.name.lower(), metric.text)
    values = {(sample.name, sample.labels.get("le", "")): sample.value for sample in family.samples}
    if metric.kind is MetricKind.HISTOGRAM:
        name = metric.name
        buckets = {(f"{name}_bucket", "0.1"): 1, (f"{name}_bucket", "1.0"): 2, (f"{name}_bucket", "+Inf"): 3}
        assert values == {**buckets, (f"{name}_count", ""): 3, (f"{name}_sum", ""): 5.55}
    else:
        assert values == {(metric.shown_name, ""): 3}


def test_the_documentation_names_every_metric_once_by_the_name_of_a_scrape() -> None:
    assert [documentation().count(f"| `{metric.shown_name}` |") for metric in METRICS] == [1] * len(METRICS)


def test_the_page_has_every_metric_as_it_is_declared() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
    assert documentation() in page.read_text(encoding="utf-8"), "run: python docs/write.py"
