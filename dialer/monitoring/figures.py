"""The figures of a running dialer, read from the plain counters of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from dialer import __version__
from dialer.esl.telemetry import SwitchTelemetry
from dialer.listening import Site
from dialer.management.idleness import Idleness
from dialer.model import AttemptState, IdleCode
from dialer.monitoring import declarations as told
from dialer.monitoring.declarations import Metric, Sample
from dialer.service import DialerService


def figures(
    service: DialerService, sites: Mapping[str, Site], idleness: Idleness | None, now: datetime
) -> Iterator[tuple[Metric, list[Sample]]]:
    """The metrics of this moment, those left out of which nothing is known: `idleness` is None then. `sites` are by the names
    of their ports. To be called on the reactor thread, while the service is up."""
    yield told.BUILD, [((__version__,), 1)]
    yield from _calls(service, now)
    yield from _switches(service)
    yield from _campaigns(idleness)
    yield from _process(service)
    yield from _http(sites)


def _calls(service: DialerService, now: datetime) -> Iterator[tuple[Metric, list[Sample]]]:
    lifecycle = service.lifecycle
    states = lifecycle.register.states()
    yield told.ATTEMPTS_ENDED, [((str(word),), count) for word, count in service.ended.items()]
    yield told.ATTEMPTS_OPEN, [((str(state),), states[state]) for state in AttemptState]
    yield told.CORRECTIONS, [((str(kind),), count) for kind, count in lifecycle.corrections.items()]
    yield told.GATEWAYS_BACKED_OFF, [((), service.fleet.backed_off(now))]
    known = [(member.switch.name, each) for member in service.fleet for each in member.sip_gateways or ()]
    yield told.SIP_GATEWAY_UP, [((switch, each.name), not each.is_down) for switch, each in known]
    yield told.CALLEES_UNSERVED, [((), service.applications.unserved)]
    oldest = service.telling.undelivered.oldest
    yield told.EVENT_AGE, [((), 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))]


def _switches(service: DialerService) -> Iterator[tuple[Metric, list[Sample]]]:
    named = [((switch.name,), switch) for switch in service.switches]
    calls = service.lifecycle.register.switches
    yield told.SWITCH_UP, [(name, switch.ready) for name, switch in named]
    yield told.SWITCH_DRAINED, [((member.switch.name,), member.is_drained) for member in service.fleet]
    yield told.SWITCH_RECONNECTS, [(name, max(0, switch.telemetry.connected - 1)) for name, switch in named]
    yield told.SWITCH_CALLS, [(name, calls.get(switch.identity, 0)) for name, switch in named]
    yield told.CALLS_ORIGINATED, [(name, switch.originated) for name, switch in named]
    yield told.CALLS_ALLOWED, [(name, switch.calls_per_second) for name, switch in named]
    yield told.ROUND_TRIP, [sample for name, switch in named for sample in _round_trips(name, switch.telemetry)]
    yield told.EVENT_LAG, [(name, switch.telemetry.event_lag) for name, switch in named]
    yield told.EVENTS_SKIPPED, [(name, switch.telemetry.skipped) for name, switch in named]
    yield told.EVENTS_LATE, [(name, switch.telemetry.late) for name, switch in named]
    yield told.EVENTS_UNREADABLE, [(name, switch.unreadable) for name, switch in named]


def _round_trips(name: tuple[str, ...], telemetry: SwitchTelemetry) -> list[Sample]:
    return [((*name, "ping"), telemetry.ping), ((*name, "originate"), telemetry.originate)]


def _campaigns(idleness: Idleness | None) -> Iterator[tuple[Metric, list[Sample]]]:
    if idleness is not None:
        yield told.CAMPAIGNS_CALLING, [((), idleness.calling)]
        yield told.CAMPAIGNS_IDLE, [((str(code),), idleness.idle.get(code, 0)) for code in IdleCode]
        yield told.CALLER_IDS, [((state,), count) for state, count in idleness.caller_ids.states.items()]
        yield told.CALLER_ID_CALLS, [((kind,), count) for kind, count in idleness.caller_ids.today.items()]


def _process(service: DialerService) -> Iterator[tuple[Metric, list[Sample]]]:
    yield told.REACTOR_LAG, [((), service.reactor_lag.seconds)]
    yield told.DATABASE_UP, [((), service.database_serves)]
    yield told.DATABASE_WAITING, [((), service.store.backlog)]
    yield told.DATABASE_QUEUE, [((), service.database.waits)]
    yield told.DATABASE_COMMIT, [((), service.database.commits)]


def _http(sites: Mapping[str, Site]) -> Iterator[tuple[Metric, list[Sample]]]:
    requests: list[Sample] = [
        ((port, route, f"{status}xx"), count)
        for port, site in sites.items()
        for (route, status), count in sorted(site.answered.items())
    ]
    yield told.HTTP_REQUESTS, requests
    yield told.HTTP_CONNECTIONS, [((port,), site.connections) for port, site in sites.items()]
    yield told.HTTP_FAILED_LOGINS, [((port,), site.failed_logins) for port, site in sites.items()]
