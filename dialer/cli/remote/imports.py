"""Files of commands, by the API: contacts as an import that the dialer takes in the background, numbers for a do-not-call list
some thousand at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from dialer.cli import file_import
from dialer.cli.file_import import FileListener
from dialer.cli.remote import values
from dialer.client import ApiRefused, Client
from dialer.errors import BadValue
from dialer.files.contacts import Allowed, ContactFile, Reason, RowFault
from dialer.management import import_errors, import_jobs
from dialer.management.forbidding import Common, OntoDoNotCallList, common_of
from dialer.management.imports import Added, ChunkReader, ContactsReceiver, Tally
from dialer.management.phonebook_import import IntoPhonebook
from dialer.model import Account, Contact, ImportJob
from dialer.wall_clock import utc_now

LOOK_EVERY: Final = 0.2
"""Seconds after which an import is looked at again."""
AT_ONCE: Final = 5000
"""Numbers in a request."""


def _take(client: Client, destination: ContactsReceiver, file: ContactFile, dry_run: bool, listener: FileListener) -> Tally:
    if isinstance(destination, IntoPhonebook):
        return _job(client, destination, file, dry_run, listener)
    if isinstance(destination, OntoDoNotCallList):
        return _onto_list(client, destination, file, dry_run, listener)
    raise BadValue("--server", "this file is taken only where the dialer is")


# --- contacts ---------------------------------------------------------------------------------------------------------------


def _job(client: Client, into: IntoPhonebook, file: ContactFile, dry_run: bool, listener: FileListener) -> Tally:
    """The file as it is, which was read whole: it goes on there when this command is gone."""
    file.stream.seek(0)
    reading = file.reading
    job = client.imports.create(
        file.stream.read(),
        phonebook_id=into.phonebook_id,
        format="csv",
        mapping=orjson.dumps(dict(reading.columns)).decode() if reading.columns else None,
        encoding=reading.encoding or None,
        header=reading.header,
        dry_run=dry_run,
    )
    while job["ended_at"] is None:
        time.sleep(LOOK_EVERY)
        job = client.imports.get(job["id"])
        listener.show(job["read"], _tally(job))
    if job["state"] != "finished":
        taken = f"; {job['taken']} rows were taken before" if job["taken"] else ""
        raise BadValue(file.name, f"the import {job['id']} was {job['state']}: {job['problem'] or 'by somebody'}{taken}")
    if job["refused"] or job["duplicates"]:
        listener.take_over(client.imports.errors(job["id"]))
    return _tally(job)


def _tally(job: Mapping[str, Any]) -> Tally:
    told = {name: job[name] for name in ("taken", "changed", "duplicates")}
    found = Tally(rows=job["rows"], known=job["already_there"], **told)
    found.reasons.update({Reason(reason): count for reason, count in job["reasons"].items()})
    return found


# --- numbers that are not called --------------------------------------------------------------------------------------------


def _onto_list(client: Client, onto: OntoDoNotCallList, file: ContactFile, dry_run: bool, listener: FileListener) -> Tally:
    tally = Tally()
    reader = ChunkReader(file, Allowed())
    listed = {each["identity"] for each in client.do_not_call_lists.entries(onto.list_id)} if dry_run else set()
    try:
        while (chunk := reader.next(AT_ONCE)) is not None:
            some: dict[Common, dict[int, Contact]] = {}
            refused = {}
            for place, contact in enumerate(chunk.contacts):
                common = common_of(contact, onto, utc_now())
                if isinstance(common, RowFault):
                    refused[place] = common
                else:
                    some.setdefault(common, {})[place] = contact
            if dry_run:
                taken = sum(each.identity not in listed for those in some.values() for each in those.values())
            else:
                taken, faults = _put(client, onto.list_id, some)
                refused |= faults
            added = Added(taken=taken, known=len(chunk.contacts) - len(refused) - taken, refused=refused)
            refusals = chunk.refusals(added.refused)
            tally.add(len(chunk.entries), added, refusals)
            listener.refused(refusals, file.text.size, tally)
    finally:
        reader.close()
    return tally


def _put(client: Client, list_id: int, some: Mapping[Common, Mapping[int, Contact]]) -> tuple[int, dict[int, RowFault]]:
    """How many were not there, and those that are refused."""
    taken, faults = 0, {}
    for common, contacts in some.items():
        try:
            taken += _send(client, list_id, common, contacts.values())
        except ApiRefused as error:
            if error.kind != "bad-value":
                raise
            for place, contact in contacts.items():
                try:
                    taken += _send(client, list_id, common, [contact])
                except ApiRefused as refusal:
                    detail = refusal.errors[0]["detail"] if refusal.errors else str(refusal)
                    faults[place] = RowFault(Reason.NUMBER, detail)
    return taken, faults


def _send(client: Client, list_id: int, common: Common, contacts: Iterable[Contact]) -> int:
    numbers = [each.number for each in contacts]
    expires_at = None if common.expires_at is None else values.rfc3339(common.expires_at)
    found = client.do_not_call_lists.add(
        list_id, numbers=numbers, reason=common.reason, source=common.source, expires_at=expires_at
    )
    return found["added"]


# --- imports that are there -------------------------------------------------------------------------------------------------


def _import(given: Mapping[str, Any]) -> ImportJob:
    told = {
        "mapping": orjson.dumps(given["mapping"]).decode(),
        "reasons": orjson.dumps(given["reasons"]).decode(),
        "row_count": given["rows"],
        "size_read": given["read"],
        "problem": given["problem"] or "",
        "file": "",
    }
    return values.read(ImportJob, given, **told)


def _listed(client: Client, who: Account, phonebook_id: int | None, before: int | None, limit: int) -> list[ImportJob]:
    return [_import(each) for each in islice(client.imports.list(limit=min(limit, values.PAGE)), limit)]


def _start(client: Client, who: Account, key: int, given: Mapping[str, Any]) -> ImportJob:
    body: Any = dict(given)
    return _import(client.imports.start(key, **body))


def _errors(client: Client, key: int) -> Iterator[bytes]:
    yield client.imports.errors(key)


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    file_import.take_here: _take,
    import_jobs.listed: _listed,
    import_jobs.read: lambda client, who, key: _import(client.imports.get(key)),
    import_jobs.start: _start,
    import_jobs.cancel: lambda client, who, key: _import(client.imports.cancel(key)),
    import_errors.pieces: _errors,
}
