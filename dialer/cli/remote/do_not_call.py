"""Do-not-call lists and their entries, by the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import do_not_call, do_not_call_lists, list_files
from dialer.management.do_not_call import Changed
from dialer.model import Account, DoNotCallEntry, DoNotCallList


def _lists(client: Client, who: Account, *_: object) -> list[DoNotCallList]:
    return [values.read(DoNotCallList, each) for each in client.do_not_call_lists.list()]


def _create(client: Client, who: Account, given: Mapping[str, Any]) -> DoNotCallList:
    body: Any = values.written(DoNotCallList, given)
    return values.read(DoNotCallList, client.do_not_call_lists.create(**body))


def _entry(given: Mapping[str, Any]) -> DoNotCallEntry:
    return values.read(DoNotCallEntry, given)


def _put(client: Client, who: Account, list_id: int, numbers: Sequence[str], given: Mapping[str, Any]) -> Changed:
    body: Any = values.written(DoNotCallEntry, given)
    found = client.do_not_call_lists.add(list_id, numbers=numbers, **body)
    return Changed(changed=found["added"], unchanged=found["already_there"])


def _remove(client: Client, who: Account, list_id: int, numbers: Sequence[str]) -> Changed:
    found = client.do_not_call_lists.take_off(list_id, numbers=numbers)
    return Changed(changed=found["removed"], unchanged=found["not_there"])


def _check(client: Client, who: Account, list_id: int, numbers: Sequence[str]) -> list[DoNotCallEntry | None]:
    return [next(map(_entry, client.do_not_call_lists.entries(list_id, number=number)), None) for number in numbers]


def _check_everywhere(client: Client, who: Account, numbers: Sequence[str]) -> list[list[DoNotCallEntry]]:
    keys = [each["id"] for each in client.do_not_call_lists.list()]
    return [
        [_entry(each) for key in keys for each in client.do_not_call_lists.entries(key, number=number)] for number in numbers
    ]


def _entries(client: Client, list_id: int) -> Iterator[DoNotCallEntry]:
    return map(_entry, client.do_not_call_lists.entries(list_id))


def _page(client: Client, who: Account, list_id: int, after: str, limit: int) -> list[DoNotCallEntry]:
    """The API knows no numbers to begin behind: those before are passed over."""
    return list(islice((each for each in _entries(client, list_id) if each.number > after), limit))


def _pieces(client: Client, who: Account, list_id: int) -> Iterator[bytes]:
    entries = _entries(client, list_id)
    yield list_files.HEAD
    while some := list(islice(entries, list_files.PAGE)):
        yield list_files.lines_of(some)


def _history(client: Client, who: Account, list_id: int, after: int, limit: int, number: str | None) -> list[DoNotCallEntry]:
    found = client.do_not_call_lists.history(list_id, number=number)
    return list(islice((_entry(each) for each in found if each["id"] > after), limit))


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    do_not_call_lists.listed: _lists,
    do_not_call_lists.create: _create,
    do_not_call_lists.remove: lambda client, who, key: client.do_not_call_lists.delete(key),
    do_not_call.put: _put,
    do_not_call.remove: _remove,
    do_not_call.check: _check,
    do_not_call.check_everywhere: _check_everywhere,
    do_not_call.page: _page,
    list_files.pieces: _pieces,
    do_not_call.history: _history,
}
