"""The course of campaigns, by the API: why they do not call, how their calls ended, who will be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import orjson

from dialer.cli.remote import values
from dialer.client import Client
from dialer.errors import BadValue
from dialer.management import contact_explanation, outcomes, previews, statistics, why
from dialer.model import Account, Disposition
from dialer.model.preview import Outlook, PreviewSummary, Prospect
from dialer.model.statistics import CampaignStatistics, Forecast, NoEnd, Sums

ROWS: Final = 1000
"""Of a report that are given at once."""


def _why(client: Client, who: Account, key: int) -> Any:
    campaign = client.campaigns.get(key)
    return values.report(campaign, client.campaigns.explain(key), client.campaigns.progress(key))


def _report(client: Client, who: Account, key: int) -> Iterator[list[dict[str, Any]]]:
    """The rows of the report, by the thousand."""
    lines = iter(client.campaigns.report(key, format="jsonl").splitlines())
    while some := list(islice(lines, ROWS)):
        yield [orjson.loads(line) for line in some]


def _statistics(
    client: Client, who: Account, key: int, since: datetime | None = None, until: datetime | None = None
) -> CampaignStatistics:
    begin, end = (None if each is None else values.rfc3339(each) for each in (since, until))
    found = client.campaigns.statistics(key, from_=begin, to=end)
    expected = found["forecast"]
    return CampaignStatistics(
        campaign_id=key,
        since=values.moment(found["from"]),
        until=values.moment(found["to"]),
        contacts=values.subscribers(found["contacts"]),
        live_calls=found["live_calls"],
        totals=_sums(found["totals"]),
        by_disposition={Disposition(each["disposition"]): _sums(each) for each in found["by_disposition"]},
        by_cause={(Disposition(each["disposition"]), each["cause"]): _sums(each) for each in found["by_cause"]},
        by_hour={values.known_moment(each["hour"]): _sums(each) for each in found["by_hour"]},
        by_gateway={each["gateway_id"]: _sums(each) for each in found["by_gateway"]},
        by_number={each["number_of_attempt"]: _sums(each) for each in found["by_number"]},
        gateways={each["gateway_id"]: each["gateway"] for each in found["by_gateway"] if each["gateway"] is not None},
        attempts_per_contact={each["attempts"]: each["contacts"] for each in found["attempts_per_contact"]},
        forecast=Forecast(
            contacts_left=expected["contacts_left"],
            calls_left=expected["calls_left"],
            calls_per_minute=expected["calls_per_minute"],
            ends_at=values.moment(expected["ends_at"]),
            reason=None if expected["reason"] is None else NoEnd(expected["reason"]),
        ),
    )


def _sums(given: Mapping[str, Any]) -> Sums:
    return Sums(**{name: given[name] for name in ("attempts", "counted", "answered", "talk_ms")})


def _preview(
    client: Client, who: Account, key: int, horizon: timedelta, call_seconds: float | None, switch_rate: float | None
) -> PreviewSummary:
    """Its key is the horizon."""
    if call_seconds is not None:
        raise BadValue("--call-seconds", "is not taken with --server: calls are taken to last as long as its newest ones")
    span = f"{round(horizon.total_seconds())}s"
    found = client.campaigns.preview(key, horizon=span)
    reasons = {Prospect(each["prospect"]): each for each in found["reasons"]}
    return PreviewSummary(
        key=span,
        campaign=values.campaign(client.campaigns.get(key)).campaign,
        begin=values.known_moment(found["from"]),
        end=values.known_moment(found["until"]),
        counts={prospect: each["contacts"] for prospect, each in reasons.items()},
        examples={prospect: tuple(map(_outlook, each["examples"])) for prospect, each in reasons.items()},
        retries={prospect: each["retries"] for prospect, each in reasons.items()},
        done={status: count for status, count in values.subscribers(found["others"]).items() if count},
        first_at=_first_moments(reasons),
        first_call_at=values.moment(found["first_call_at"]),
        last_call_at=values.moment(found["last_call_at"]),
        calls_per_minute=found["calls_per_minute"],
        call_seconds=found["call_seconds"],
        refusal=found["refusal"] or "",
    )


def _first_moments(reasons: Mapping[Prospect, Any]) -> dict[Prospect, datetime]:
    """A server of an earlier version tells none."""
    found = {prospect: values.moment(each.get("first_at")) for prospect, each in reasons.items()}
    return {prospect: at for prospect, at in found.items() if at is not None}


def _outlook(given: Mapping[str, Any]) -> Outlook:
    prospect = Prospect(given["prospect"])
    text = "" if given["text"] == prospect.text else given["text"]
    told = {name: given[name] for name in ("contact_id", "number", "attempt")}
    return Outlook(**told, prospect=prospect, at=values.moment(given["at"]), text=text, is_retry=given["retry"])


def _previewed(
    client: Client, who: Account, key: int, span: str, prospect: Prospect, after: int, limit: int
) -> tuple[list[Outlook], bool]:
    found = client.campaigns.previewed(key, horizon=span, prospect=prospect.value)
    some = [_outlook(each) for each in islice(found, after, after + limit + 1)]
    return some[:limit], len(some) > limit


def _explained(client: Client, who: Account, key: int, number: str) -> tuple[Sequence[str], Mapping[str, Any]]:
    found = client.campaigns.explain_number(key, number)
    obstacles = [{**each, "until": values.moment(each["until"])} for each in found["obstacles"]]
    for each in obstacles:
        each["campaign_code"] = each["campaign_code"] or ""
    told = {name: found[name] for name in ("number", "identity", "why")}
    return found["why"], {**told, "obstacles": obstacles}


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    why.campaign: _why,
    contact_explanation.of_number: _explained,
    outcomes.pages: _report,
    statistics.of_campaign: _statistics,
    previews.preview: _preview,
    previews.contacts: _previewed,
}
