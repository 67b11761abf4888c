"""Campaigns and phonebooks, by the API: made, changed, started and removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from api.newfies.answers import STATES
from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import campaigns, outcomes, phonebooks, redial, removals
from dialer.management.redial import Redialled
from dialer.model import Account, Campaign, CampaignStatus, Phonebook

_VERBS: Final = {
    CampaignStatus.START: "start",
    CampaignStatus.PAUSE: "pause",
    CampaignStatus.END: "stop",
    CampaignStatus.ABORT: "abort",
}


def _listed(client: Client, who: Account, statuses: object) -> list[Any]:
    names = {each["id"]: each["name"] for each in client.phonebooks.list()}
    return [values.campaign(each, names) for each in client.campaigns.list()]


def _counts(client: Client) -> dict[int, Any]:
    keys = [each["id"] for each in client.campaigns.list()]
    return {key: values.subscribers(client.campaigns.progress(key)["contacts"]) for key in keys}


def _create(client: Client, who: Account, given: Mapping[str, Any], *_: Any, **more: Any) -> Any:
    body: Any = values.written(Campaign, given)
    return values.campaign(client.campaigns.create(**body, draft=more.get("draft", False)))


def _change(client: Client, who: Account, key: int, given: Mapping[str, Any]) -> None:
    rest: Any = values.written(Campaign, {name: value for name, value in given.items() if name != "status"})
    if rest:
        client.campaigns.change(key, **rest)
    if "status" in given:
        getattr(client.campaigns, _VERBS[given["status"]])(key)


def _redial(
    client: Client, who: Account, key: int, statuses: Collection[Any], ends: Collection[Any], after: str, dry_run: bool
) -> Redialled:
    wanted: Any = {"states": [STATES[each] for each in statuses], "after": after, "dry_run": dry_run}
    if ends:
        wanted["dispositions"] = [str(each) for each in ends]
    return Redialled(**client.campaigns.redial(key, **wanted))


def _phonebooks(client: Client, who: Account) -> list[Phonebook]:
    return [values.read(Phonebook, each) for each in client.phonebooks.list()]


def _uses(client: Client) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for campaign in sorted(client.campaigns.list(), key=lambda each: each["name"]):
        for key in campaign["phonebook_ids"]:
            found[key] = (*found.get(key, ()), campaign["name"])
    return found


def _create_phonebook(client: Client, who: Account, given: Mapping[str, Any]) -> Phonebook:
    body: Any = values.written(Phonebook, given)
    return values.read(Phonebook, client.phonebooks.create(**body))


def _change_phonebook(client: Client, who: Account, key: int, given: Mapping[str, Any]) -> None:
    body: Any = values.written(Phonebook, given)
    client.phonebooks.change(key, **body)


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    campaigns.listed: _listed,
    campaigns.create: _create,
    campaigns.change: _change,
    campaigns.resume: lambda client, who, key: client.campaigns.resume(key),
    redial.redial: _redial,
    outcomes.counts: _counts,
    removals.campaign: lambda client, who, key: client.campaigns.delete(key),
    removals.detach: lambda client, who, key, phonebook_id: client.campaigns.detach(key, phonebook_id),
    phonebooks.listed: _phonebooks,
    phonebooks.uses: _uses,
    phonebooks.size: lambda client, key: sum(1 for _ in client.contacts.list(key)),
    phonebooks.create: _create_phonebook,
    phonebooks.change: _change_phonebook,
    phonebooks.attach: lambda client, who, key, book: client.campaigns.attach(key, phonebook_id=book)["added"],
    removals.phonebook: lambda client, who, key: client.phonebooks.delete(key),
}
