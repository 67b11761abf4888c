"""Commands at a distance: `dialer --server URL` asks the API v2 of a dialer for what they ask the database for otherwise.

A command asks use cases. Here, each of these has the call that means the same: a command works at a distance when all that it
asks for are in `_ASKED` and `_PERFORMED`. What may be seen and done is what the login may see and do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from api.newfies.answers import STATES
from dialer.cli import remote_values as values
from dialer.cli.frame import TOKEN
from dialer.cli.passwords import text_of
from dialer.client import ApiRefused, Client
from dialer.client.calls import bearer
from dialer.errors import BadValue, NotFound
from dialer.management import caller_ids, campaigns, contact_list, gateways, outcomes, phonebooks, redial, removals, users, why
from dialer.management.contact_list import MOST_ATTEMPTS, Found
from dialer.management.listing import Slice
from dialer.management.redial import Redialled
from dialer.model import Account, CallerIdPool, Campaign, CampaignStatus, Contact, Phonebook, User, UserDetails

T = TypeVar("T")

_VERBS: Final = {
    CampaignStatus.START: "start",
    CampaignStatus.PAUSE: "pause",
    CampaignStatus.END: "stop",
    CampaignStatus.ABORT: "abort",
}


def asked_there(arguments: argparse.Namespace, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do something by the API of a dialer. Raises what `work` raises, `Refused` and `Unreachable`."""
    with Client(arguments.server, bearer(_token(arguments.token_file))) as client:
        results: list[Any] = []
        Deferred.fromCoroutine(_awaited(work(RemoteManagement(client)))).addBoth(results.append)
        (result,) = results  # each call waits for its answer
        if isinstance(result, Failure):
            result.raiseException()
        found: T = result
        return found


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def _token(file: str | None) -> str:
    text = os.environ.get(TOKEN, "") if file is None else text_of(file, "--token-file", one_line=True)
    token = text.strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise BadValue("--token-file", f"holds no token; give one, or set {TOKEN}")
    return token


@define(eq=False)
class RemoteManagement:
    """Stands for `Management` where the database is far away."""

    client: Client
    _known: dict[str, Any] = field(factory=dict, init=False)

    def ask(self, use_case: Callable[..., Any], *args: Any, **more: Any) -> Deferred[Any]:
        """Fires with what the use case returns. Fails with what it raises, as far as the API tells, with `Refused` and
        `Unreachable`; with `BadValue` for a use case that the API does not have."""
        return self._done(_ASKED.get(use_case), args, more)

    ask_in_turn = ask

    def perform(self, work: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """The same for what takes several use cases."""
        return self._done(_PERFORMED.get(work), args, {})

    def _done(self, call: Callable[..., Any] | None, args: tuple[Any, ...], more: Mapping[str, Any]) -> Deferred[Any]:
        if call is None:
            return fail(BadValue("--server", "this works at the database only, where the dialer is"))
        try:
            return succeed(call(self.client, *args, **more))
        except ApiRefused as error:
            return fail(_meant(error))
        except Exception:
            return fail(Failure())


def _meant(error: ApiRefused) -> Exception:
    """A value that is not acceptable, as the command line tells of it."""
    for flaw in error.errors if error.kind in ("bad-value", "already-exists") else ():
        name = flaw.get("parameter") or flaw.get("pointer", "").removeprefix("#/")
        return BadValue(name, flaw["detail"])
    return error


# --- what use cases mean there ----------------------------------------------------------------------------------------------


def _users(client: Client) -> list[UserDetails]:
    """All of them for a superuser, else the one that asks."""
    try:
        return [UserDetails(user=values.read(User, each)) for each in client.users.list()]
    except ApiRefused as error:
        if error.kind != "forbidden":
            raise
    return [UserDetails(user=values.read(User, client.me()))]


def _account(client: Client, username: str) -> Account:
    me = client.me()
    if me["username"] != username:
        raise BadValue("--user", f"over --server, new things belong to the user of the login: {me['username']}")
    return Account(id=me["id"], username=username)


def _account_of(client: Client, user_id: int) -> Account:
    return Account(id=user_id, username="")


def _campaigns(client: Client, who: Account, statuses: object) -> list[Any]:
    return [values.campaign(each) for each in client.campaigns.list()]


def _counts(client: Client) -> dict[int, Any]:
    keys = [each["id"] for each in client.campaigns.list()]
    return {key: values.subscribers(client.campaigns.progress(key)["contacts"]) for key in keys}


def _create_campaign(client: Client, who: Account, given: Mapping[str, Any], *_: Any, **more: Any) -> Any:
    return values.campaign(client.campaigns.create(**values.written(Campaign, given), draft=more.get("draft", False)))


def _change_campaign(client: Client, who: Account, key: int, given: Mapping[str, Any]) -> Any:
    rest = {name: value for name, value in given.items() if name != "status"}
    found: Any = client.campaigns.change(key, **values.written(Campaign, rest)) if rest else None
    if "status" in given:
        found = getattr(client.campaigns, _VERBS[given["status"]])(key)
    return values.campaign(found)


def _redial(
    client: Client, who: Account, key: int, statuses: Collection[Any], ends: Collection[Any], after: str, dry_run: bool
) -> Redialled:
    wanted: Any = {"states": [STATES[each] for each in statuses], "after": after, "dry_run": dry_run}
    if ends:
        wanted["dispositions"] = [str(each) for each in ends]
    return Redialled(**client.campaigns.redial(key, **wanted))


def _why(client: Client, who: Account, key: int) -> Any:
    return values.report(client.campaigns.get(key), client.campaigns.explain(key), client.campaigns.progress(key))


def _attach(client: Client, who: Account, key: int, phonebook_id: int) -> int:
    return int(client.campaigns.attach(key, phonebook_id=phonebook_id)["added"])


def _named(resource: str, read: Callable[[dict[str, Any]], Any]) -> Callable[..., list[Any]]:
    def listed(client: Client, who: Account) -> list[Any]:
        return [read(each) for each in getattr(client, resource).list()]

    return listed


def _phonebooks(client: Client, who: Account) -> list[Phonebook]:
    return [values.read(Phonebook, each) for each in client.phonebooks.list()]


def _page(client: Client, who: Account, phonebook_id: int, part: Slice) -> list[Contact]:
    if part.after not in (None, (0, 0)):
        raise BadValue("--after", "is not taken with --server; take --limit")
    found = client.contacts.list(phonebook_id, limit=min(part.limit or values.PAGE, values.PAGE))
    return [values.read(Contact, each) for each in islice(found, part.limit)]


def _find(client: Client, who: Account, phonebook_id: int, text: str) -> Contact:
    try:
        for each in client.contacts.list(phonebook_id, number=text):
            if each["double_of"] is None:
                return values.read(Contact, each)
    except ApiRefused as error:
        if error.kind != "bad-value" or not text.isdecimal():
            raise
    if text.isdecimal():
        try:
            return values.read(Contact, client.contacts.get(phonebook_id, int(text)))
        except ApiRefused as error:
            if error.status != 404:
                raise
    raise NotFound("contact", text)


def _contact(client: Client, who: Account, phonebook_id: int, contact_id: int) -> Found:
    """With the campaigns that use its phonebook, and the newest attempts to its number that were made for it."""
    contact = values.read(Contact, client.contacts.get(phonebook_id, contact_id))
    same = client.contacts.list(phonebook_id, number=contact.number)
    doubles = tuple(each["number"] for each in same if each["double_of"] == contact_id)
    found = []
    for campaign in client.campaigns.list():
        if phonebook_id in campaign["phonebook_ids"]:
            try:
                found.append(values.in_campaign(campaign, client.campaigns.contact(campaign["id"], contact.number)))
            except ApiRefused as error:
                if error.status != 404:
                    raise
    tried = client.attempts.list(number=contact.number, sort="-planned_at", limit=MOST_ATTEMPTS)
    mine = (values.tried(each) for each in tried if each["contact_id"] == contact_id)
    attempts = tuple(islice(mine, MOST_ATTEMPTS))
    return Found(contact=contact, doubles=doubles, campaigns=tuple(found), attempts=attempts)


def _add_contact(client: Client, who: Account, phonebook_id: int, given: Mapping[str, Any]) -> Contact:
    return values.read(Contact, client.contacts.create(phonebook_id, **values.written(Contact, given)))


def _change_contact(
    client: Client, who: Account, phonebook_id: int, key: int, given: Mapping[str, Any], variables: Mapping[str, str] | None
) -> Contact:
    body: dict[str, Any] = values.written(Contact, given)
    if variables:
        body[contact_list.VARIABLES] = {name: text or None for name, text in variables.items()}
    return values.read(Contact, client.contacts.change(phonebook_id, key, **body))


_ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    users.listed: _users,
    users.account: _account,
    users.account_of: _account_of,
    gateways.listed: _named("gateways", values.gateway),
    gateways.applications: _named("voice_applications", values.application),
    caller_ids.pools: _named("caller_id_pools", partial(values.read, CallerIdPool)),
    campaigns.listed: _campaigns,
    campaigns.create: _create_campaign,
    campaigns.change: _change_campaign,
    campaigns.resume: lambda client, who, key: values.campaign(client.campaigns.resume(key)),
    redial.redial: _redial,
    outcomes.counts: _counts,
    why.campaign: _why,
    phonebooks.listed: _phonebooks,
    contact_list.page: _page,
    contact_list.find: _find,
    contact_list.read: _contact,
    contact_list.changed: _change_contact,
    contact_list.remove: lambda client, who, phonebook_id, key: client.contacts.delete(phonebook_id, key),
}
"""By the use case, which gets the same arguments."""

_PERFORMED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    removals.campaign: lambda client, who, key: client.campaigns.delete(key),
    removals.detach: lambda client, who, key, phonebook_id: client.campaigns.detach(key, phonebook_id),
    phonebooks.attach: _attach,
    contact_list.add: _add_contact,
}
