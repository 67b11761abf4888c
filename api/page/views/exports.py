"""Exports: attempts, the contacts of a phonebook, and a do-not-call list, as files for spreadsheets and for programs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from api.page.downloads import begun
from api.page.routes import Download, Visit, shows
from api.page.views.attempts import filter_of
from dialer.errors import BadValue
from dialer.files.written import header, row_of
from dialer.management import call_records, contact_list, list_files
from dialer.management.call_records import RecordFilter
from dialer.management.record_files import FORMATS

AT_ONCE: Final = 500
"""Attempts that are read and written at once."""
CSV: Final = "text/csv; charset=utf-8"


async def _attempts(visit: Visit) -> Download:
    word = visit.query.get("format", "csv")
    if word not in FORMATS:
        raise BadValue("format", f"expected one of {', '.join(FORMATS)}")
    _, wanted = await filter_of(visit)
    pieces = await begun(_records(visit, wanted, word))
    return Download(name=f"attempts.{word}", content_type=FORMATS[word].content_type, pieces=pieces)


async def _records(visit: Visit, wanted: RecordFilter, word: str) -> AsyncGenerator[bytes]:
    format_ = FORMATS[word]
    steps = call_records.steps(visit.management, visit.who, wanted, limit=AT_ONCE)
    try:
        head = format_.head
        async for step in steps:
            yield head + format_.encode(step.records)
            head = b""
    finally:
        await steps.aclose()


async def _contacts(visit: Visit) -> Download:
    key = visit.key("phonebook")
    return Download(name=f"phonebook-{key}.csv", content_type=CSV, pieces=await begun(_rows(visit, key)))


async def _rows(visit: Visit, phonebook_id: int) -> AsyncGenerator[bytes]:
    head = header()
    async for page in contact_list.pages(visit.management, visit.who, phonebook_id):
        yield "".join([head, *map(row_of, page)]).encode()
        head = ""


async def _entries(visit: Visit) -> Download:
    key = visit.key("list")
    pieces = await begun(list_files.pieces(visit.management, visit.who, key))
    return Download(name=f"do-not-call-{key}.csv", content_type=CSV, pieces=pieces)


ROUTES: Final = (
    shows("export/attempts", _attempts),
    shows("export/phonebooks/<phonebook>", _contacts),
    shows("export/do-not-call/<list>", _entries),
)
