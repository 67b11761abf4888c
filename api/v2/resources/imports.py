"""`imports`: files of contacts, taken into a phonebook in the background; or of numbers, onto a do-not-call list."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred
from werkzeug.http import parse_options_header

from api.v2.attributes import ID, YES_OR_NO, Attribute, Body, Encoder, answer, is_yes
from api.v2.file_bodies import FileBody
from api.v2.pages import Page, page_of
from api.v2.problems import Flaw, Problem
from api.v2.routes import Asked, File, Route, Taken
from dialer.errors import BadValue, DialerError, NotFound, StoreError
from dialer.files.contacts import Reading, Reason
from dialer.files.formats import CONTENT_TYPES, CSV_TYPES, ENDINGS, JSON_TYPES, format_of
from dialer.files.import_folder import ImportFolder
from dialer.files.sample import Rows, sample
from dialer.kinds import Flag, Kind, Member, Text, Variables, Word
from dialer.management import Management, do_not_call_lists, import_errors, import_jobs
from dialer.management.idempotency import Answered
from dialer.management.import_errors import in_parameters
from dialer.management.import_jobs import UploadedFile, checked_encoding
from dialer.management.import_run import row_file
from dialer.model import ImportFormat, ImportJob, ImportState, Scope
from dialer.model.import_job import Doubles

ANY_TYPE: Final = "application/octet-stream"

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
    "A file of contacts on its way into a phonebook, or of numbers onto a do-not-call list: `rows` were read, each of which "
    "is one of `taken`, `already_there`, `duplicates` and `refused`.",
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


_OF_DOUBLES: Final = "contacts that are there: keep leaves them alone, change has them take what the file has"
PARAMETERS: Final = (
    Attribute(name="phonebook_id", kind=ID, doc="the phonebook that the contacts go to", refers_to="phonebook"),
    Attribute(
        name="list_id", kind=ID, doc="or else the do-not-call list that the numbers go to", refers_to=do_not_call_lists.KIND
    ),
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
    Attribute(name="doubles", kind=Word(tuple(Doubles)), doc=_OF_DOUBLES, default=str(Doubles.KEEP)),
    Attribute(name="draft", kind=YES_OR_NO, doc="yes: the file waits until `start` says which column is what", default="no"),
)
STARTED: Final = Body(
    name="ImportStart",
    attributes=(
        Attribute(name="mapping", kind=Variables(), doc='which column is what: {"contact": "Phone", "-": "3,5"}'),
        Attribute(name="region", kind=Text(2, 0), doc="whose numbers the national numbers of the file are, such as DE"),
        Attribute(name="encoding", kind=Text(40), doc="of the file, such as cp1252"),
        Attribute(name="header", kind=Flag(), doc="whether the first row of a table names its columns"),
        Attribute(name="doubles", kind=Word(tuple(Doubles)), doc=_OF_DOUBLES),
        Attribute(
            name="dry_run", kind=Flag(), doc="true: tell what would be done; the import is a draft again then", default=False
        ),
    ),
)
_BOOK: Final = Attribute(name="phonebook_id", kind=ID, doc="only those into this phonebook")
_LIST: Final = Attribute(name="list_id", kind=ID, doc="only those onto this do-not-call list")
_STATE: Final = Attribute(name="state", kind=Member(ImportState), doc="only those that are so")
FILE: Final = Taken(types=(*CSV_TYPES, *JSON_TYPES, ANY_TYPE), doc="contacts: a table with a header, or a JSON object a line")


def _list(asked: Asked) -> Deferred[Any]:
    """Your imports, the newest first."""
    book, list_id = (asked.query.get(name) for name in ("phonebook_id", "list_id"))
    state = asked.query.get("state")
    return asked.ask(import_jobs.listed, asked.who, book, asked.after, asked.limit, list_id, state)


def _read(asked: Asked) -> Deferred[Any]:
    """One import: how far it is."""
    return asked.ask(import_jobs.read, asked.who, asked.path["import_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Take a file of contacts into a phonebook, or of numbers onto a do-not-call list, in the background."""
    return Deferred.fromCoroutine(_created(asked))


async def _created(asked: Asked) -> Any:
    body: FileBody = asked.file
    if ("phonebook_id" in asked.query) is ("list_id" in asked.query):
        told = "expected the id of a phonebook, or else `list_id`, that of a do-not-call list"
        raise Problem.of_flaws([Flaw.of_parameter("phonebook_id", told)])
    given = {name: value for name, value in asked.query.items() if name not in ("format", "draft")}
    given |= {name: bool(is_yes(given, name)) for name in ("header", "dry_run")}
    is_draft = is_yes(asked.query, "draft")
    if is_draft and given["dry_run"]:
        raise Problem.of_flaws([Flaw.of_parameter("dry_run", "a draft is tried by its `start`; leave this out")])
    kind, options = parse_options_header(body.content_type)
    given.setdefault("encoding", options.get("charset", ""))
    named = asked.query.get("format")
    wanted = format_of(kind, body.name) if named is None else ImportFormat(named)
    look = _sample if is_draft else _check
    rows = await asked.management.in_thread(partial(look, asked.management, body.disk.name, wanted, given))
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
        found = await asked.ask(import_jobs.create, asked.who, given, upload, rows)
    except StoreError:
        raise
    except DialerError as error:
        body.is_kept = False
        named = {"phonebook": "phonebook_id", do_not_call_lists.KIND: "list_id"}
        if isinstance(error, NotFound) and error.kind in named:
            raise Problem.of_flaws([Flaw.of_parameter(named[error.kind], str(error))]) from None
        raise
    body.is_kept = not (isinstance(found, Answered) and found.replayed)
    return found


def _sample(management: Management, file: str, wanted: ImportFormat, given: Mapping[str, Any]) -> Rows:
    """Its first rows: a file that is none is refused now. Raises `BadValue`."""
    with _folder(management).open(file) as stream:
        return sample(stream, wanted, checked_encoding(given["encoding"]))


def _check(management: Management, file: str, wanted: ImportFormat, given: Mapping[str, Any]) -> Rows:
    """Read its beginning: a file that is none, or lacks a column, is refused now. Raises `BadValue`. Nobody has to look at any
    of its rows."""
    reading = Reading(
        encoding=checked_encoding(given["encoding"]), columns=given.get("mapping", {}), header=given.get("header", True)
    )
    with _folder(management).open(file) as stream:
        try:
            row_file(stream, wanted, reading).open()
        except BadValue as error:
            raise BadValue(in_parameters(error.field), in_parameters(error.problem)) from None
    return []


def _folder(management: Management) -> ImportFolder:
    if management.imports is None:
        raise NotFound("folder of imports", "here")
    return management.imports


def _start(asked: Asked) -> Deferred[Any]:
    """Take the file of a draft, or tell what would be done; what is not named stays as it was."""
    given = dict(asked.body)
    if "mapping" in given:
        given["mapping"] = ColumnMap().parse(given["mapping"])
    return asked.ask(import_jobs.start, asked.who, asked.path["import_id"], given)


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
            await asked.management.in_thread(partial(asked.management.imports.remove, job.file))


def _errors(asked: Asked) -> Deferred[Any]:
    """The rows that were not taken, as they stand in the file, each with its reason: correct them, and send that file."""
    return Deferred.fromCoroutine(_errors_of(asked))


async def _errors_of(asked: Asked) -> File:
    job = await asked.ask(import_jobs.read, asked.who, asked.path["import_id"])
    pieces = import_errors.pieces(asked.management, job.id)
    ending = ENDINGS[job.format]
    return File(content_type=CONTENT_TYPES[job.format], name=f"import-{job.id}-errors.{ending}", pieces=pieces)


ROUTES: Final = (
    Route(
        method="GET",
        path="imports",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(IMPORT),
        page=Page(place=lambda job: job.id),
        parameters=(_BOOK, _LIST, _STATE),
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
        files=tuple(CONTENT_TYPES.values()),
    ),
    Route(
        method="POST",
        path="imports/<import_id>/start",
        scope=Scope.DIAL,
        serve=_start,
        body=STARTED,
        answer=IMPORT,
        refusals=("wrong-state", "limit-exceeded"),
    ),
    Route(method="POST", path="imports/<import_id>/cancel", scope=Scope.DIAL, serve=_cancel, answer=IMPORT),
    Route(method="DELETE", path="imports/<import_id>", scope=Scope.DIAL, serve=_remove, status=204),
)
