"""The metrics, each declared once: name, kind, sentence, labels.

From here come what a scrape shows, and the table in docs/metrics.md. Names and units follow the conventions of Prometheus:
base units, which end the name, and `_total` behind a counter, which a scrape adds. A label takes a bounded number of values:
the members of an enumeration, what the configuration names, the routes of an API. Never a number, a campaign or a user.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from attrs import Factory, frozen
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.utils import floatToGoString

from dialer.histogram import Histogram

Labels = tuple[str, ...]
Value = float | Histogram
Sample = tuple[Labels, Value]


class MetricKind(enum.Enum):
    """The kinds of metrics that are used here."""

    COUNTER = CounterMetricFamily
    GAUGE = GaugeMetricFamily
    HISTOGRAM = HistogramMetricFamily


@frozen(kw_only=True, eq=False)
class Metric:
    """One of them. `labels` tells for each label, in their order, which values it takes."""

    name: str
    kind: MetricKind
    text: str
    labels: Mapping[str, str] = Factory(dict)

    @property
    def shown_name(self) -> str:
        """The name as a scrape has it."""
        return f"{self.name}_total" if self.kind is MetricKind.COUNTER else self.name

    def family(self, samples: Iterable[Sample]) -> Family:
        """The metric with its values of now, as prometheus_client writes it."""
        unit = "seconds" if self.name.endswith("_seconds") else ""
        family: Any = self.kind.value(self.name, self.text, labels=list(self.labels), unit=unit)
        for labels, value in samples:
            if isinstance(value, Histogram):
                family.add_metric(labels, list(_buckets(value)), value.sum)
            else:
                family.add_metric(labels, value)
        return cast(Family, family)


def _buckets(histogram: Histogram) -> Iterator[tuple[str, float]]:
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.cumulative(), strict=True):
        yield floatToGoString(bound), count


def _counter(name: str, text: str, **labels: str) -> Metric:
    return Metric(name=name, kind=MetricKind.COUNTER, text=text, labels=labels)


def _gauge(name: str, text: str, **labels: str) -> Metric:
    return Metric(name=name, kind=MetricKind.GAUGE, text=text, labels=labels)


def _histogram(name: str, text: str, **labels: str) -> Metric:
    return Metric(name=name, kind=MetricKind.HISTOGRAM, text=text, labels=labels)


_SWITCH: Final = "its name as configured, else host and port of its Event Socket"
_PORT: Final = "`api`, `records` or `metrics`"

BUILD: Final = _gauge("dialer_build_info", "the program that runs: 1", version="its version")

ATTEMPTS_ENDED: Final = _counter(
    "dialer_attempts_ended",
    "attempts whose end is stored",
    disposition="`ANSWERED`, `BUSY`, `NO_ANSWER`, ...: why they ended",
)
ATTEMPTS_OPEN: Final = _gauge(
    "dialer_attempts_open",
    "attempts that this process has open",
    state="`planned`, `submitted`, `ringing`, `answered`, `connected`, `adrift` (no switch), `ended` (not stored yet)",
)
CORRECTIONS: Final = _counter(
    "dialer_corrections",
    "what was put right outside of the plain course of calls",
    kind="as in the [log](operations.md#log)",
)
GATEWAYS_BACKED_OFF: Final = _gauge(
    "dialer_gateways_backed_off",
    "gateways that are not called through for the moment, after faults, each counted once for each switch",
)
SIP_GATEWAY_UP: Final = _gauge(
    "dialer_sip_gateway_up",
    "1 while calls can be made through a SIP gateway of the switch, as it tells (`sofia status`), else 0; those of which "
    "nothing is known are absent",
    switch=_SWITCH,
    gateway="its name on the switch",
)
CALLEES_UNSERVED: Final = _counter("dialer_callees_unserved", "callees for whom the voice application could do nothing")

SWITCH_UP: Final = _gauge(
    "dialer_switch_up", "1 while calls can be made on the switch and their events arrive, else 0", switch=_SWITCH
)
SWITCH_DRAINED: Final = _gauge(
    "dialer_switch_drained",
    "1 while no more calls are begun on the switch, because somebody or the configuration drains it, else 0",
    switch=_SWITCH,
)
SWITCH_RECONNECTS: Final = _counter("dialer_switch_reconnects", "times that a lost switch was there again", switch=_SWITCH)
SWITCH_CALLS: Final = _gauge(
    "dialer_switch_calls", "calls that this process has open on the switch, second legs included", switch=_SWITCH
)
CALLS_ORIGINATED: Final = _counter(
    "dialer_calls_originated", "originates that were sent; its rate is the calls per second made", switch=_SWITCH
)
CALLS_ALLOWED: Final = _gauge("dialer_calls_per_second_allowed", "the calls per second that may be made", switch=_SWITCH)
ROUND_TRIP: Final = _histogram(
    "dialer_esl_round_trip_seconds",
    "from the writing of a command to its reply",
    switch=_SWITCH,
    command="`ping` (every two seconds on each connection), `originate`",
)
EVENT_LAG: Final = _histogram(
    "dialer_event_lag_seconds",
    "from the switch's time of an event (Event-Date-Timestamp, in steps of 20 ms, the clocks' difference taken off) to the "
    "end of its handling",
    switch=_SWITCH,
)
EVENTS_SKIPPED: Final = _counter(
    "dialer_event_sequence_skipped",
    "numbers (Event-Sequence) between those of the events that came. FreeSWITCH numbers all of its events and sends those "
    "that were asked for: so there are always some, and many on a busy switch that others use, too",
    switch=_SWITCH,
)
EVENTS_LATE: Final = _counter("dialer_event_sequence_late", "events that came after one with a higher number", switch=_SWITCH)
EVENTS_UNREADABLE: Final = _counter(
    "dialer_events_unreadable", "events that could not be read and were passed over", switch=_SWITCH
)

EVENT_AGE: Final = _gauge(
    "dialer_event_undelivered_age_seconds",
    "the age of the oldest event that a webhook or another lasting reader waits for, of all of them; 0 when none does",
)

CAMPAIGNS_CALLING: Final = _gauge("dialer_campaigns_calling", "campaigns that nothing keeps from calling")
CAMPAIGNS_IDLE: Final = _gauge(
    "dialer_campaigns_idle",
    "campaigns that are not calling, by the reason that is told first; absent, as the number of those calling, while the "
    "database does not serve",
    reason="`paused`, `outside-hours`, `all-done`, `no-switch`, ...: as `idle` of a campaign in the [API](api.md)",
)

CALLER_IDS: Final = _gauge(
    "dialer_caller_ids",
    "numbers of pools of caller ids; absent while the database does not serve",
    state="`usable`, or why no call shows them: `resting`, `at-cap`, `inactive`, `refused` (their owner may not show them)",
)
CALLER_ID_CALLS: Final = _gauge(
    "dialer_caller_id_calls_today",
    "calls of the day, by the zones of the pools, that showed a number of a pool: their answer rate, short calls and refusals",
    kind="`dialled`, `ended`, `answered`, `short` (answered, over in six seconds), `403`, `603`, `607`, `608` (SIP status)",
)

REACTOR_LAG: Final = _histogram(
    "dialer_reactor_lag_seconds", "by how much the reactor was late, looked at four times a second"
)
DATABASE_UP: Final = _gauge("dialer_database_up", "1 while the database answers heartbeats, else 0")
DATABASE_WAITING: Final = _gauge("dialer_database_waiting", "changes and questions that have no answer of the database yet")
DATABASE_QUEUE: Final = _histogram(
    "dialer_database_queue_seconds", "from the asking of the database to the beginning of the transaction"
)
DATABASE_COMMIT: Final = _histogram("dialer_database_commit_seconds", "the time of a COMMIT, with what is written in it")

HTTP_REQUESTS: Final = _counter(
    "dialer_http_requests",
    "requests that were answered",
    port=_PORT,
    route="method and address as documented, with names in the place of ids; `none` for what is no resource",
    status="`2xx`, `4xx`, `5xx`",
)
HTTP_CONNECTIONS: Final = _gauge("dialer_http_connections", "open connections", port=_PORT)
HTTP_FAILED_LOGINS: Final = _counter("dialer_http_failed_logins", "wrong user names and passwords", port=_PORT)

METRICS: Final[tuple[Metric, ...]] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of them, in this order."""


def documentation() -> str:
    """The table of all metrics, in Markdown."""
    rows = ["| metric | kind | labels | |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = "; ".join(f"`{name}`: {values}" for name, values in metric.labels.items())
        rows.append(f"| `{metric.shown_name}` | {metric.kind.name.lower()} | {labels} | {metric.text} |")
    return "\n".join(rows)
