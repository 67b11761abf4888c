"""Contacts, by the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import ApiRefused, Client
from dialer.errors import NotFound
from dialer.management import contact_list
from dialer.management.contact_list import MOST_ATTEMPTS, Found
from dialer.management.listing import Slice
from dialer.model import Account, Contact

PAGE: Final = 1000
"""Contacts of an export that are given at once."""


def _page(client: Client, who: Account, phonebook_id: int, part: Slice) -> list[Contact]:
    """The API knows no ids to begin behind: those before are passed over."""
    after = part.after[1] if part.after is not None else 0
    found = client.contacts.list(phonebook_id, limit=values.PAGE if after else min(part.limit or values.PAGE, values.PAGE))
    behind = (each for each in found if each["id"] > after)
    return [values.read(Contact, each) for each in islice(behind, part.limit)]


def _pages(client: Client, who: Account, phonebook_id: int) -> Iterator[list[Contact]]:
    found = client.contacts.list(phonebook_id)
    while some := [values.read(Contact, each) for each in islice(found, PAGE)]:
        yield some


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


def _read(client: Client, who: Account, phonebook_id: int, contact_id: int) -> Found:
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


def _add(client: Client, who: Account, phonebook_id: int, given: Mapping[str, Any]) -> Contact:
    body: Any = values.written(Contact, given)
    return values.read(Contact, client.contacts.create(phonebook_id, **body))


def _change(
    client: Client, who: Account, phonebook_id: int, key: int, given: Mapping[str, Any], variables: Mapping[str, str] | None
) -> Contact:
    body: Any = values.written(Contact, given)
    if variables:
        body[contact_list.VARIABLES] = {name: text or None for name, text in variables.items()}
    return values.read(Contact, client.contacts.change(phonebook_id, key, **body))


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    contact_list.page: _page,
    contact_list.pages: _pages,
    contact_list.find: _find,
    contact_list.read: _read,
    contact_list.add: _add,
    contact_list.changed: _change,
    contact_list.remove: lambda client, who, phonebook_id, key: client.contacts.delete(phonebook_id, key),
}
