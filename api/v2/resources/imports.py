"""`imports`: files of contacts, taken into a phonebook in the background."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred
from werkzeug.http import parse_options_header

from api.v2.attributes import ID, YES_OR_NO, Attribute, Encoder, answer, is_yes
from api.v2.file_bodies import FileBody
from api.v2.pages import Page, page_of
from api.v2.problems import Flaw, Problem
from api.v2.routes import Asked, File, Route, Taken
from dialer.errors import BadValue, DialerError, NotFound, StoreError
from dialer.files.contacts import Reading, Reason
from dialer.files.import_folder import ERRORS, UPLOAD, ImportFolder
from dialer.kinds import Kind, Text, Variables, Word
from dialer.management import Management, import_jobs
from dialer.management.idempotency import Answered
from dialer.management.import_jobs import UploadedFile, checked_encoding
from dialer.management.import_run import in_parameters, row_file
from dialer.model import ImportFormat, ImportJob, Scope

CSV_TYPES: Final = ("text/csv", "text/tab-separated-values", "text/plain")
JSON_TYPES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")
ANY_TYPE: Final = "application/octet-stream"
_CONTENT_TYPES: Final = {ImportFormat.CSV: "text/csv", ImportFormat.JSON_LINES: "application/x-ndjson"}
_ENDINGS: Final = {ImportFormat.CSV: "csv", ImportFormat.JSON_LINES: "ndjson"}
_JSON_NAME: Final = re.compile(r".*\.(?:ndjson|jsonl|json)", re.IGNORECASE)
PIECE: Final = 65_536
"""Bytes of a file that are read at once."""

_SHOWN: Final = Encoder(ImportJob, ("row_count", "size_read", "encoding_found", "mapping", "reasons", "problem"))
_encode = _SHOWN.encoder()


def _shown(job: ImportJob) -> dict[str, Any]:
    return {
        **_encode(job),
        "encoding": job.encoding_found or job.encoding,
        "mapping": orjson.loads(job.mapping),
        "read": job.size_read,
        "rows": job.row_count,
        "reasons": orjson.loads(job.reasons),
        "problem": job.problem or None,
    }


_NUMBER: Final = {"type": "integer"}
IMPORT: Final = answer(
    "Import",
    "A file of contacts on its way into a phonebook: `rows` were read, each of which is one of `taken`, `already_there`, "
    "`duplicates` and `refused`.",
    {
        **_SHOWN.properties,
        "encoding": {"type": "string", "description": "of the file, as far as it is known"},
        "mapping": {"type": "object", "additionalProperties": {"type": "string"}, "description": "which column is what"},
        "read": {**_NUMBER, "description": "bytes of the file that were read, of `size`"},
        "rows": {**_NUMBER, "description": "that were read"},
        "reasons": {
            "type": "object",
            "propertyNames": {"enum": [str(reason) for reason in Reason]},
            "additionalProperties": _NUMBER,
            "description": "refused rows by reason",
        },
        "problem": {"type": ["string", "null"], "description": "why it failed"},
    },
    _shown,
)


@frozen
class ColumnMap(Kind):
    """Which column is what."""

    takes = "NAME=COLUMN pairs with commas between, such as contact=Phone,first_name=2, or a JSON object of them"

    def parse(self, value: Any) -> Mapping[str, str]:
        """Columns by what they are."""
        found = Variables().parse(value)
        return {("contact" if name == "number" else name): column for name, column in found.items()}

    def schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string"}


PARAMETERS: Final = (
    Attribute(name="phonebook_id", kind=ID, doc="the phonebook that the contacts go to; needed", refers_to="phonebook"),
    Attribute(
        name="format",
        kind=Word(tuple(ImportFormat)),
        doc="how the file is written; by default as its type or its name says, or else csv",
    ),
    Attribute(name="mapping", kind=ColumnMap(), doc="which column is what: contact=Phone,first_name=2"),
    Attribute(
        name="region",
        kind=Text(2, 0),
        doc="whose numbers the national numbers of the file are, such as DE; by default those of the phonebook's region",
    ),
    Attribute(name="encoding", kind=Text(40), doc="of the file, such as cp1252; by default as its type says, or found out"),
    Attribute(name="header", kind=YES_OR_NO, doc="whether the first row of a table names its columns", default="yes"),
    Attribute(name="dry_run", kind=YES_OR_NO, doc="yes: tell what would be done, and write no contact", default="no"),
)
_BOOK: Final = Attribute(name="phonebook_id", kind=ID, doc="only those into this phonebook")
FILE: Final = Taken(types=(*CSV_TYPES, *JSON_TYPES, ANY_TYPE), doc="contacts: a table with a header, or a JSON object a line")


def _list(asked: Asked) -> Deferred[Any]:
    """Your imports, the newest first."""
    return asked.ask(import_jobs.listed, asked.who, asked.query.get("phonebook_id"), asked.after, asked.limit)


def _read(asked: Asked) -> Deferred[Any]:
    """One import: how far it is."""
    return asked.ask(import_jobs.read, asked.who, asked.path["import_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Take a file of contacts into a phonebook, in the background."""
    return Deferred.fromCoroutine(_created(asked))


async def _created(asked: Asked) -> Any:
    body: FileBody = asked.file
    if "phonebook_id" not in asked.query:
        raise Problem.of_flaws([Flaw.of_parameter("phonebook_id", "is missing; expected the id of a phonebook")])
    given = {name: value for name, value in asked.query.items() if name not in ("phonebook_id", "format")}
    given |= {name: bool(is_yes(given, name)) for name in ("header", "dry_run")}
    kind, options = parse_options_header(body.content_type)
    given.setdefault("encoding", options.get("charset", ""))
    wanted = _format(asked.query.get("format"), kind, body.name)
    await asked.management.in_thread(partial(_check, asked.management, body.disk.name, wanted, given))
    upload = UploadedFile(
        file=body.disk.name,
        node=asked.management.database.node.name,
        name="".join(each for each in body.name if each.isprintable()),
        size=body.disk.size,
        format=wanted,
    )
    # When the database gives no answer, the row may be there all the same: then the file has to be, too.
    body.is_kept = True
    try:
        found = await asked.ask(import_jobs.create, asked.who, asked.query["phonebook_id"], given, upload)
    except StoreError:
        raise
    except DialerError as error:
        body.is_kept = False
        if isinstance(error, NotFound) and error.kind == "phonebook":
            raise Problem.of_flaws([Flaw.of_parameter("phonebook_id", str(error))]) from None
        raise
    body.is_kept = not (isinstance(found, Answered) and found.replayed)
    return found


def _format(wanted: str | None, content_type: str, name: str) -> ImportFormat:
    if wanted is not None:
        return ImportFormat(wanted)
    if content_type in JSON_TYPES or (content_type not in CSV_TYPES and _JSON_NAME.fullmatch(name)):
        return ImportFormat.JSON_LINES
    return ImportFormat.CSV


def _check(management: Management, file: str, wanted: ImportFormat, given: Mapping[str, Any]) -> None:
    """Read its beginning: a file that is none, or lacks a column, is refused now. Raises `BadValue`."""
    reading = Reading(
        encoding=checked_encoding(given["encoding"]), columns=given.get("mapping", {}), header=given.get("header", True)
    )
    with _folder(management).open(file) as stream:
        try:
            row_file(stream, wanted, reading).open()
        except BadValue as error:
            raise BadValue(in_parameters(error.field), in_parameters(error.problem)) from None


def _folder(management: Management) -> ImportFolder:
    if management.imports is None:
        raise NotFound("folder of imports", "here")
    return management.imports


def _cancel(asked: Asked) -> Deferred[Any]:
    """Take no more rows of a file; the contacts that were taken stay."""
    return asked.ask(import_jobs.cancel, asked.who, asked.path["import_id"])


def _remove(asked: Asked) -> Deferred[Any]:
    """The same, and forget the import with its refused rows."""
    return Deferred.fromCoroutine(_removed(asked))


async def _removed(asked: Asked) -> None:
    job = await asked.ask(import_jobs.remove, asked.who, asked.path["import_id"])
    if asked.management.imports is not None:
        with suppress(OSError):  # what stays is tidied up
            await asked.management.in_thread(partial(asked.management.imports.remove, job.file, UPLOAD, ERRORS))


def _errors(asked: Asked) -> Deferred[Any]:
    """The rows that were not taken, as they stand in the file, each with its reason: correct them, and send that file."""
    return Deferred.fromCoroutine(_errors_of(asked))


async def _errors_of(asked: Asked) -> File:
    job = await asked.ask(import_jobs.read, asked.who, asked.path["import_id"])
    pieces = _pieces(asked.management, job) if job.errors_size else _nothing()
    if job.errors_size and not await asked.management.in_thread(partial(_is_here, asked.management, job)):
        raise NotFound("file of refused rows here; it is at the node", job.node)
    return File(content_type=_CONTENT_TYPES[job.format], name=f"import-{job.id}-errors.{_ENDINGS[job.format]}", pieces=pieces)


def _is_here(management: Management, job: ImportJob) -> bool:
    try:
        _folder(management).open(job.file, ERRORS).close()
    except FileNotFoundError:
        return False
    return True


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _pieces(management: Management, job: ImportJob) -> AsyncIterator[bytes]:
    with await management.in_thread(partial(_folder(management).open, job.file, ERRORS)) as stream:
        left = job.errors_size
        while left and (piece := await management.in_thread(partial(stream.read, min(left, PIECE)))):
            left -= len(piece)
            yield piece


ROUTES: Final = (
    Route(
        method="GET",
        path="imports",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(IMPORT),
        page=Page(place=lambda job: job.id),
        parameters=(_BOOK,),
    ),
    Route(
        method="POST",
        path="imports",
        scope=Scope.DIAL,
        serve=_create,
        answer=IMPORT,
        status=202,
        takes=FILE,
        parameters=PARAMETERS,
        location="imports/{id}",
        refusals=("limit-exceeded",),
    ),
    Route(method="GET", path="imports/<import_id>", scope=Scope.READ, serve=_read, answer=IMPORT),
    Route(
        method="GET",
        path="imports/<import_id>/errors",
        scope=Scope.READ,
        serve=_errors,
        files=tuple(_CONTENT_TYPES.values()),
    ),
    Route(method="POST", path="imports/<import_id>/cancel", scope=Scope.DIAL, serve=_cancel, answer=IMPORT),
    Route(method="DELETE", path="imports/<import_id>", scope=Scope.DIAL, serve=_remove, status=204),
)
