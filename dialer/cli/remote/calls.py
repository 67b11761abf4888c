"""Calls without a campaign, and call records, by the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

from attrs import frozen

from dialer.cli.remote import values
from dialer.client import Client
from dialer.errors import BadValue
from dialer.management import call_records, calls
from dialer.model import Account, Campaign, Contact, Disposition


@frozen(kw_only=True)
class TakenAttempt:
    """The newest attempt of a call, as far as commands show it."""

    disposition: Disposition | None
    cause: str | None
    answered_at: datetime | None


@frozen(kw_only=True)
class TakenCall:
    """Stands for a `SingleCall`, whose inner state the API does not tell: what commands show of it."""

    id: int
    campaign: Campaign
    contact: Contact
    state: str
    count_attempt: int
    next_attempt_at: datetime | None
    reason: str | None
    last: TakenAttempt | None


_SHOWN: Final = ("id", "user_id", "starting_at", "expires_at", "gateway_id", "voip_app_id", "caller_id")


def _call(given: Mapping[str, Any]) -> TakenCall:
    last = given["last_attempt"]
    app = values.nameless_application(given["voip_app_id"])
    return TakenCall(
        id=given["id"],
        campaign=values.read(Campaign, {name: given[name] for name in _SHOWN}, name="", voip_app=app),
        contact=values.read(Contact, {name: given[name] for name in ("number", "reference")}, id=0, phonebook_id=0),
        state=given["state"],
        count_attempt=given["attempts"],
        next_attempt_at=values.moment(given["next_attempt_at"]),
        reason=given["reason"],
        last=None
        if last is None
        else TakenAttempt(
            disposition=None if last["disposition"] is None else Disposition(last["disposition"]),
            cause=last["cause"],
            answered_at=values.moment(last["answered_at"]),
        ),
    )


def _create(client: Client, who: Account, given: Mapping[str, Any], *, granting: bool = False) -> TakenCall:
    """Where a voice application or a gateway is not named, it is the only one that the login sees."""
    completed = dict(given)
    if completed.get("voip_app_id") is None:
        completed["voip_app_id"] = _only(client, "voice_applications", "voip_app_id", "voip app")
    if completed.get("gateway_id") is None:
        own = client.voice_applications.get(completed["voip_app_id"])["gateway_id"]
        completed["gateway_id"] = own or _only(client, "gateways", "gateway_id", "gateway")
    facts = {name: each for name, each in completed.items() if name in calls.FACTS}
    settings = {name: each for name, each in completed.items() if name not in calls.FACTS}
    body: Any = {**values.written(Contact, facts), **values.written(Campaign, settings)}
    return _call(client.calls.create(**body))


def _only(client: Client, resource: str, field: str, noun: str) -> int:
    found = list(islice(getattr(client, resource).list(limit=2), 2))
    if len(found) != 1:
        raise BadValue(field, f"is missing; expected the id of a {noun}")
    return int(found[0]["id"])


def _listed(client: Client, who: Account, before: int | None, limit: int) -> list[TakenCall]:
    return [_call(each) for each in islice(client.calls.list(limit=min(limit, values.PAGE)), limit)]


def _exported(
    client: Client, who: Account, number: str | None, given: Mapping[str, Any], form: str
) -> Iterator[tuple[int, bytes]]:
    """The file as it comes, with how many records it has."""
    moments = {name: values.rfc3339(given[name]) for name in ("since", "until") if given[name] is not None}
    wanted: Any = {**given, **moments, "number": number, "format": form}
    found = client.attempts.export(**wanted)
    count = found.count(b"\n") if form == "jsonl" else values.rows_of_table(found)
    yield count, found


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    calls.create_completed: _create,
    calls.listed: _listed,
    calls.read: lambda client, who, key: _call(client.calls.get(key)),
    calls.cancel: lambda client, who, key: _call(client.calls.cancel(key)),
    call_records.exported: _exported,
}
