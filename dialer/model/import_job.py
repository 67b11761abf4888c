"""An import: a file of contacts that was uploaded, and how far it is taken into its phonebook."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.kinds import LARGEST_ID, Text, Whole

MOST_OPEN: Final = 5
"""Imports of one user that have not ended, each of which has a file on disk."""


class ImportState(enum.StrEnum):
    """How far an import is."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportFormat(enum.StrEnum):
    """How a file of contacts is written."""

    CSV = "csv"
    JSON_LINES = "json-lines"


_OBJECT: Final = Text(10_000_000)


@noun("import", table="import_job")
@frozen(kw_only=True)
class ImportJob:
    """A file on its way into a phonebook; one node at a time holds it. `row_count` rows were read; the last chunk of
    them had `last_rows`, of which the database refused `last_faults` (places and faults). What was refused before that chunk
    stands in the first `errors_size` bytes of the file of refused rows."""

    id: int = key()
    user_id: int = reference("user", reverse="imports", doc="the user of the phonebook")
    phonebook_id: int = setting(kind=Whole(1, LARGEST_ID), doc="the phonebook that its contacts go to")
    name: str = setting("", doc="of the file, as its client calls it")
    format: ImportFormat = setting(ImportFormat.CSV, doc="csv (a table), or json-lines (an object a line)")
    encoding: str = setting("", doc="that its client named; empty: it is found out")
    encoding_found: str = setting("", doc="that the file has, as far as it was read")
    mapping: str = setting("{}", kind=_OBJECT, doc="which column is what")
    region: str = setting("", doc="whose numbers its national numbers are; empty: those of the phonebook")
    header: bool = setting(True, doc="whether the first row of a table names its columns")
    dry_run: bool = setting(False, doc="whether it only tells what it would do")
    state: ImportState = setting(ImportState.QUEUED, doc="how far it is")
    problem: str = setting("", doc="why it failed")
    size: int = setting(0, doc="of the file", unit="bytes")
    size_read: int = setting(0, doc="that were read", unit="bytes")
    row_count: int = setting(0, doc="rows that were read")
    taken: int = setting(0, doc="contacts that are new; of a dry run, that would be")
    already_there: int = setting(0, doc="rows whose contacts were there")
    duplicates: int = setting(0, doc="rows that repeat another one of the file")
    refused: int = setting(0, doc="rows that are no contact, or none that may be called")
    reasons: str = setting("{}", kind=_OBJECT, doc="these by reason")
    file: str = setting(secret=True, doc="by which the folder of imports knows it")
    node: str = setting("", secret=True, doc="that the file came to")
    holder: str = setting("", secret=True, doc="the node that works on it")
    held_until: datetime | None = setting(None, secret=True, doc="until then")
    last_rows: int = setting(0, secret=True, doc="rows of the last chunk")
    last_faults: str = setting("{}", kind=_OBJECT, secret=True, doc="those of its rows that the database refused")
    errors_size: int = setting(0, secret=True, doc="of the file of refused rows before that chunk", unit="bytes")
    created_at: datetime = stamp("when the file was here")
    started_at: datetime | None = setting(None, doc="when the first row was read")
    ended_at: datetime | None = setting(None, doc="when it ended")

    @property
    def has_ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.ended_at is not None
