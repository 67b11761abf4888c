"""An import: a file that was uploaded, and how far it is taken into its phonebook, or onto its do-not-call list."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.kinds import LARGEST_ID, Nullable, Text, Whole

MOST_OPEN: Final = 5
"""Imports of one user that have not ended, each of which has a file on disk."""
MOST_DRAFTS: Final = 5
"""Files of one user that wait for somebody to start their imports."""


class ImportState(enum.StrEnum):
    """How far an import is; a draft waits for somebody to start it."""

    DRAFT = "draft"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportFormat(enum.StrEnum):
    """How a file of contacts is written."""

    CSV = "csv"
    JSON_LINES = "json-lines"


class Doubles(enum.StrEnum):
    """What becomes of a contact that the phonebook has already."""

    KEEP = "keep"
    CHANGE = "change"


_OBJECT: Final = Text(10_000_000)


@noun("import", table="import_job")
@frozen(kw_only=True)
class ImportJob:
    """A file on its way into a phonebook, or onto a do-not-call list; one node at a time holds it. Of the rows that were
    refused, all are kept but `errors_left_out`. One that was made as a draft has a `sample`, and is a draft again after a dry
    run."""

    id: int = key()
    user_id: int = reference("user", reverse="imports", doc="the user of the phonebook, or of the list")
    phonebook_id: int | None = setting(
        None, kind=Nullable(Whole(1, LARGEST_ID)), doc="the phonebook that its contacts go to; null: it goes onto a list"
    )
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
    errors_size: int = setting(0, secret=True, doc="of the refused rows that are kept", unit="bytes")
    created_at: datetime = stamp("when the file was here")
    started_at: datetime | None = setting(None, doc="when the first row was read")
    ended_at: datetime | None = setting(None, doc="when it ended")
    list_id: int | None = reference(
        "do-not-call list", reverse="imports", default=None, doc="the do-not-call list that its numbers go to; null: none"
    )
    doubles: Doubles = setting(
        Doubles.KEEP,
        doc="what becomes of contacts that are there: keep leaves them alone, change has them take what the file has",
    )
    changed: int = setting(0, doc="of the contacts that were there, those that have taken something of the file")
    errors_left_out: int = setting(0, doc="refused rows that are not kept: there were too many")
    sample: str = setting("[]", kind=_OBJECT, secret=True, doc="the first rows of the file of a draft")
    added_by: str = setting("", doc="who sent it")

    @property
    def is_made_as_draft(self) -> bool:
        """Whether somebody looks at what a dry run tells before it is started."""
        return self.sample != "[]"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.ended_at is not None
