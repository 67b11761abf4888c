"""Files of commands, by the API: contacts as an import that the dialer takes in the background, numbers for a do-not-call list
some thousand at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from dialer.cli import file_import
from dialer.cli.file_import import FileListener
from dialer.cli.remote import values
from dialer.client import ApiRefused, Client
from dialer.errors import BadValue
from dialer.files.contacts import Allowed, ContactFile, Reason, RowFault
from dialer.management.forbidding import OntoDoNotCallList, entry_of
from dialer.management.imports import Added, ChunkReader, ContactsReceiver, Tally
from dialer.management.phonebook_import import IntoPhonebook
from dialer.model import DoNotCallEntry
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
    found = Tally(job["rows"], job["taken"], job["already_there"], job["duplicates"])
    found.reasons.update({Reason(reason): count for reason, count in job["reasons"].items()})
    return found


# --- numbers that are not called --------------------------------------------------------------------------------------------


def _onto_list(client: Client, onto: OntoDoNotCallList, file: ContactFile, dry_run: bool, listener: FileListener) -> Tally:
    tally = Tally()
    reader = ChunkReader(file, Allowed())
    listed = {each["identity"] for each in client.do_not_call_lists.entries(onto.list_id)} if dry_run else set()
    try:
        while (chunk := reader.next(AT_ONCE)) is not None:
            entries = [entry_of(contact, onto, utc_now()) for contact in chunk.contacts]
            refused = {place: each for place, each in enumerate(entries) if isinstance(each, RowFault)}
            there = {place: each for place, each in enumerate(entries) if isinstance(each, DoNotCallEntry)}
            if dry_run:
                taken = sum(each.identity not in listed for each in there.values())
            else:
                taken, faults = _put(client, onto.list_id, there)
                refused |= faults
            added = Added(taken=taken, known=len(entries) - len(refused) - taken, refused=refused)
            refusals = chunk.refusals(added.refused)
            tally.add(len(chunk.entries), added, refusals)
            listener.refused(refusals, file.text.size, tally)
    finally:
        reader.close()
    return tally


def _put(client: Client, list_id: int, entries: Mapping[int, DoNotCallEntry]) -> tuple[int, dict[int, RowFault]]:
    """Those with the same reason, source and expiry are sent together."""
    taken, faults = 0, {}
    for _, same in groupby(sorted(entries.items(), key=lambda each: _common(each[1])), key=lambda each: _common(each[1])):
        some = list(same)
        try:
            taken += _send(client, list_id, [entry for _, entry in some])
        except ApiRefused as error:
            if error.kind != "bad-value":
                raise
            for place, entry in some:
                try:
                    taken += _send(client, list_id, [entry])
                except ApiRefused as refusal:
                    detail = refusal.errors[0]["detail"] if refusal.errors else str(refusal)
                    faults[place] = RowFault(Reason.NUMBER, detail)
    return taken, faults


def _common(entry: DoNotCallEntry) -> tuple[str, ...]:
    return entry.reason, entry.source, "" if entry.expires_at is None else values.rfc3339(entry.expires_at)


def _send(client: Client, list_id: int, entries: Sequence[DoNotCallEntry]) -> int:
    reason, source, expires_at = _common(entries[0])
    numbers = [each.number for each in entries]
    return client.do_not_call_lists.add(list_id, numbers=numbers, reason=reason, source=source, expires_at=expires_at or None)[
        "added"
    ]


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {file_import.take_here: _take}
