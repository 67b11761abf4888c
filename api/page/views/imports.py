"""Imports: files that are sent, what is in them, how far they are, and the rows that were refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import orjson
from werkzeug.http import parse_options_header

from api.page.downloads import begun
from api.page.live import CSRF_PLACE, Picture, PictureStream
from api.page.problems import problem_of
from api.page.routes import PREFIX, Download, Moved, PageReply, Visit, changes, number_in, shows
from api.page.views.mapping import form_of, mapping_of
from api.page.views.overview import picture_stream
from dialer.errors import BadValue, DialerError, LimitExceeded, NotFound, StoreError, WrongState
from dialer.files.columns import LEFT_OUT, is_header
from dialer.files.formats import CONTENT_TYPES, ENDINGS, format_of
from dialer.files.sample import Rows, listed_errors, sample
from dialer.management import import_errors, import_jobs, import_targets
from dialer.management.import_jobs import UploadedFile
from dialer.model import ImportFormat, ImportJob, ImportState, Scope
from dialer.model.import_job import Doubles

PAGE: Final = 30
ERRORS: Final = 25
"""Refused rows that are shown; the others are in the file."""
PARTS: Final = "import_parts.html"
_OPEN: Final = (ImportState.QUEUED, ImportState.RUNNING)


# --- the list, and a new one ------------------------------------------------------------------------------------------------


async def _rows(visit: Visit, before: int | None) -> tuple[str, int | None]:
    """The table as HTML, and where the next part begins."""
    found = await visit.ask(import_jobs.listed, visit.who, None, before, PAGE + 1)
    names = await visit.ask(import_targets.names, found)
    more = found[PAGE - 1].id if len(found) > PAGE else None
    return str(visit.site.renderer.macro(PARTS, "table")([(job, names[job.id]) for job in found[:PAGE]])), more


async def _list(visit: Visit) -> PageReply:
    before = number_in(visit.query["before"], "import") if "before" in visit.query else None
    table, more = await _rows(visit, before)
    values = {"live": table, "more": more, "follows": before is None, "may_dial": Scope.DIAL in visit.who.scopes}
    return PageReply(template="imports.html", values=values)


async def _follow_all(visit: Visit) -> PictureStream:
    async def draw() -> Picture:
        table, _ = await _rows(visit, None)
        return Picture(target="imports-live", shape=(), parts={"imports": table}, whole=table)

    return picture_stream(visit, ("imports", visit.who), draw, frozenset())


async def _new(visit: Visit) -> PageReply:
    return await _form(visit, visit.query, "")


async def _form(visit: Visit, given: Mapping[str, str], flaw: str) -> PageReply:
    """The form for a file, which goes where it says, or where the file went that is sent again."""
    targets = await visit.ask(import_targets.choices, visit.who)
    like = await _like(visit, given)
    chosen = given.get("target", "")
    for name in ("phonebook", "list"):
        if name in given:
            chosen = f"{name}-{given[name]}"
    if like is not None:
        chosen = f"list-{like.list_id}" if like.list_id is not None else f"phonebook-{like.phonebook_id}"
    values = {"targets": targets, "chosen": chosen, "like": like, "flaw": flaw}
    return PageReply(template="import_new.html", values=values, status=400 if flaw else 200)


async def _like(visit: Visit, given: Mapping[str, str]) -> ImportJob | None:
    """The import whose file is corrected."""
    if not given.get("like"):
        return None
    found: ImportJob = await visit.ask(import_jobs.read, visit.who, number_in(given["like"], "import"))
    return found


async def _upload(visit: Visit) -> Moved | PageReply:
    """A file is here, whole."""
    body = visit.file
    name = "".join(each for each in body.name if each.isprintable())
    kind, _ = parse_options_header(body.content_type)
    format_ = format_of(kind, name)
    like = await _like(visit, visit.form)
    try:
        given = _target(visit.form.get("target", ""))
        rows = await visit.management.in_thread(partial(_sample, visit, body.disk.name, format_))
    except BadValue as error:
        return await _form(visit, visit.form, problem_of(error).text)
    given |= {"header": format_ is ImportFormat.JSON_LINES or is_header(rows[0])} if like is None else _manner_of(like)
    upload = UploadedFile(
        file=body.disk.name, node=visit.management.database.node.name, name=name, size=body.disk.size, format=format_
    )
    # When the database gives no answer, the row may be there all the same: then the file has to be, too.
    body.is_kept = True
    details = {"target": visit.form.get("target", ""), "bytes": str(upload.size)}
    try:
        job = await visit.do(name, import_jobs.create, visit.who, given, upload, rows, details=details)
    except StoreError:
        raise
    except (BadValue, LimitExceeded, NotFound) as error:
        body.is_kept = False
        return await _form(visit, visit.form, problem_of(error).text)
    except DialerError:
        body.is_kept = False
        raise
    return Moved(to=f"{PREFIX}imports/{job.id}", told="import-sent")


def _target(text: str) -> dict[str, Any]:
    """Where a file goes. Raises `BadValue`."""
    what, _, key = text.partition("-")
    names = {"phonebook": "phonebook_id", "list": "list_id"}
    if what not in names:
        raise BadValue("target", "choose a phonebook or a list")
    return {names[what]: number_in(key, what)}


def _sample(visit: Visit, file: str, format_: ImportFormat) -> Rows:
    folder = visit.management.imports
    if folder is None:
        raise NotFound("folder of imports", "here")
    with folder.open(file) as stream:
        return sample(stream, format_)


def _manner_of(like: ImportJob) -> dict[str, Any]:
    """How the file of refused rows is read that came of an import. That has a header in any case: the columns are called
    there as they were taken."""
    mapping = orjson.loads(like.mapping)
    if not like.header:
        mapping = {name: column for name, column in mapping.items() if name == LEFT_OUT}
    return {"mapping": mapping, "region": like.region, "encoding": like.encoding, "header": True, "doubles": like.doubles}


# --- one of them ------------------------------------------------------------------------------------------------------------


def _picture(visit: Visit, job: ImportJob, target: str) -> Picture:
    may_dial = Scope.DIAL in visit.who.scopes
    part = visit.site.renderer.macro(PARTS, "course")
    made = str(part(job, target, orjson.loads(job.reasons), may_dial, CSRF_PLACE))
    return Picture(target="import-live", shape=(), parts={"import": made}, whole=made)


async def _read(visit: Visit) -> tuple[ImportJob, str]:
    job = await visit.ask(import_jobs.read, visit.who, visit.key("import"))
    return job, (await visit.ask(import_targets.names, (job,)))[job.id]


async def _show(visit: Visit) -> PageReply:
    return await _page(visit, None, "")


async def _page(visit: Visit, typed: Mapping[str, str] | None, flaw: str) -> PageReply:
    job, target = await _read(visit)
    header = job.header if typed is None else typed.get("header", "").endswith("1")
    names: Any = ()
    errors: Any = ()
    if job.errors_size:
        data = await visit.ask(import_errors.beginning, job.id)
        read = partial(listed_errors, data, job.format, job.encoding_found or job.encoding, ERRORS)
        names, errors = await visit.management.in_thread(read)
    waits = job.is_made_as_draft and (job.state is ImportState.DRAFT or (job.dry_run and job.state in _OPEN))
    values = {
        "job": job,
        "target": target,
        "live": _picture(visit, job, target).whole.replace(CSRF_PLACE, visit.csrf),
        "form": form_of(job, typed or {}, header=header) if waits and Scope.DIAL in visit.who.scopes else None,
        "header": header,
        "region": job.region if typed is None else typed.get("region", ""),
        "encoding": job.encoding if typed is None else typed.get("encoding", ""),
        "doubles": str(job.doubles) if typed is None else typed.get("doubles", ""),
        "all_doubles": [str(each) for each in Doubles],
        "error_names": names,
        "errors": errors,
        "flaw": flaw,
    }
    return PageReply(template="import.html", values=values, status=400 if flaw else 200)


async def _follow(visit: Visit) -> PictureStream:
    key = visit.key("import")
    await visit.ask(import_jobs.read, visit.who, key)

    async def draw() -> Picture:
        return _picture(visit, *(await _read(visit)))

    return picture_stream(visit, ("import", key, visit.who), draw, frozenset())


async def _start(visit: Visit) -> Moved | PageReply:
    """Take the file, or tell what would be done."""
    job, _ = await _read(visit)
    form = visit.form
    header = form.get("header", "1").endswith("1")
    dry_run = bool(form.get("dry_run"))
    try:
        if form.get("doubles", "keep") not in tuple(Doubles):
            raise BadValue("doubles", f"expected one of {', '.join(Doubles)}")
        given = {
            "mapping": mapping_of(job, form, header=header),
            "header": header,
            "region": form.get("region", "").strip().upper(),
            "encoding": form.get("encoding", "").strip(),
            "doubles": form.get("doubles", "keep"),
            "dry_run": dry_run,
        }
        details = {name: orjson.dumps(value).decode() for name, value in given.items()}
        await visit.do(f"import {job.id}", import_jobs.start, visit.who, job.id, given, details=details)
    except (BadValue, LimitExceeded, WrongState) as error:
        return await _page(visit, form, problem_of(error).text)
    return Moved(to=f"{PREFIX}imports/{job.id}", told="import-tried" if dry_run else "import-started")


async def _cancel(visit: Visit) -> Moved:
    key = visit.key("import")
    await visit.do(f"import {key}", import_jobs.cancel, visit.who, key)
    return Moved(to=f"{PREFIX}imports/{key}", told="import-cancelled")


async def _remove(visit: Visit) -> Moved:
    key = visit.key("import")
    job = await visit.do(f"import {key}", import_jobs.remove, visit.who, key)
    folder = visit.management.imports
    if folder is not None:
        with suppress(OSError):  # what stays is tidied up
            await visit.management.in_thread(partial(folder.remove, job.file))
    return Moved(to=f"{PREFIX}imports", told="import-removed")


async def _errors(visit: Visit) -> Download:
    job, _ = await _read(visit)
    pieces = await begun(import_errors.pieces(visit.management, job.id))
    name = f"import-{job.id}-errors.{ENDINGS[job.format]}"
    return Download(name=name, content_type=CONTENT_TYPES[job.format], pieces=pieces)


ROUTES: Final = (
    shows("imports", _list),
    shows("live/imports", _follow_all, streams=True),
    shows("imports/new", _new, scope=Scope.DIAL),
    changes("imports/new", _upload, takes_file=True),
    shows("imports/<import>", _show),
    shows("live/imports/<import>", _follow, streams=True),
    changes("imports/<import>/start", _start),
    changes("imports/<import>/cancel", _cancel),
    changes("imports/<import>/remove", _remove),
    shows("imports/<import>/errors", _errors),
)
