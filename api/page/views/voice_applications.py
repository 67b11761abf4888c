"""Voice applications, and the sounds that they play: seen by those who may use them, kept by admins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from api.page.forms import check, controls, defaults, typed_values
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageFile, PageReply, Visit, changes, shows
from dialer.errors import AlreadyExists, BadValue, InUse, NotFound, NotSetUp
from dialer.files.import_folder import NewUpload
from dialer.management import gateways, sounds
from dialer.model import Scope, VoipApp

FIELDS: Final = ("name", "description", "type", "gateway_id", "data")
TYPES: Final = {"wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg"}
"""Of sounds, by the endings of their names."""


LARGEST: Final = 20_971_520
"""Bytes of a sound: it is in memory, for a moment."""


async def _list(visit: Visit) -> PageReply:
    return await _listed(visit, "", 200)


async def _listed(visit: Visit, problem: str, status: int) -> PageReply:
    flaw, found = "", []
    try:
        found = await sounds.listed(visit.management, visit.who)
    except NotSetUp as error:
        flaw = problem_of(error).text
    values = {"found": await visit.ask(gateways.applications, visit.who), "sounds": found, "flaw": flaw}
    values |= {"problem": problem, "endings": ",".join(f".{each}" for each in TYPES)}
    return PageReply(template="voice_applications.html", values=values, status=status)


async def _form(visit: Visit, key: int, values: Mapping[str, str], problems: Mapping[str, str], flaw: str) -> PageReply:
    through = await visit.ask(gateways.listed, visit.who)
    options = {"gateway_id": [("", ""), *((str(each.id), each.name) for each in through)]}
    shown = {
        "controls": controls(VoipApp, FIELDS, values, problems, options),
        "key": key,
        "name": values.get("name", ""),
        "flaw": flaw,
    }
    return PageReply(template="voice_application.html", values=shown, status=400 if problems or flaw else 200)


async def _new(visit: Visit) -> PageReply:
    return await _form(visit, 0, defaults(VoipApp, FIELDS), {}, "")


async def _show(visit: Visit) -> PageReply:
    found = await visit.ask(gateways.application, visit.who, visit.key("app"))
    return await _form(visit, found.id, typed_values(VoipApp, FIELDS, found), {}, "")


async def _save(visit: Visit, key: int, told: str) -> Moved | PageReply:
    given, problems = check(VoipApp, FIELDS, visit.form)
    flaw = ""
    if not problems:
        details = dict(visit.form)
        try:
            if key:
                await visit.do(f"voice application {key}", gateways.change_application, key, given, details=details)
            else:
                await visit.do(visit.form.get("name", ""), gateways.create_application, given, details=details)
        except BadValue as error:
            problems = {error.field: error.problem} if error.field in FIELDS else {}
            flaw = "" if problems else problem_of(error).text
        except NotFound as error:
            flaw = problem_of(error).text
        else:
            return Moved(to=f"{PREFIX}voice-applications", told=told)
    return await _form(visit, key, dict(visit.form), problems, flaw)


async def _create(visit: Visit) -> Moved | PageReply:
    return await _save(visit, 0, "application-created")


async def _change(visit: Visit) -> Moved | PageReply:
    return await _save(visit, visit.key("app"), "application-changed")


async def _remove(visit: Visit) -> Moved | PageReply:
    key = visit.key("app")
    try:
        await visit.do(f"voice application {key}", gateways.remove_application, key)
    except InUse as error:
        found = await visit.ask(gateways.application, visit.who, key)
        return await _form(visit, key, typed_values(VoipApp, FIELDS, found), {}, problem_of(error).text)
    return Moved(to=f"{PREFIX}voice-applications", told="application-removed")


async def _sound(visit: Visit) -> PageFile:
    file = await sounds.content(visit.management, visit.who, visit.path["sound"])
    return PageFile(content_type=TYPES[file.name.rpartition(".")[2]], file=file, kept="download" in visit.query)


async def _upload(visit: Visit) -> Moved | PageReply:
    """A file is here, whole: it is looked at as every sound is."""
    body = visit.file
    name = visit.form.get("name", "").strip() or "".join(each for each in body.name if each.isprintable())
    try:
        if body.disk.size > LARGEST:
            raise BadValue("file", f"has {body.disk.size} bytes; expected {LARGEST} at most")
        content = await visit.management.in_thread(partial(_read, body.disk))
        await sounds.put(visit.management, visit.who, name, content, bool(visit.form.get("replace")))
    except (AlreadyExists, BadValue, NotSetUp) as error:
        problem = problem_of(error)
        return await _listed(visit, problem.text, problem.status)
    await visit.note(f"sound {name}", {"bytes": str(body.disk.size)})
    return Moved(to=f"{PREFIX}voice-applications", told="sound-sent")


def _read(upload: NewUpload) -> bytes:
    with upload.folder.open(upload.name) as stream:
        return stream.read()


async def _remove_sound(visit: Visit) -> Moved:
    name = visit.path["sound"]
    await sounds.remove(visit.management, visit.who, name)
    await visit.note(f"sound {name}", {})
    return Moved(to=f"{PREFIX}voice-applications", told="sound-removed")


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}
_OF: Final = "voice-applications/<app>"

ROUTES: Final = (
    shows("voice-applications", _list),
    shows("voice-applications/new", _new, **_ADMINS),
    changes("voice-applications/new", _create, **_ADMINS),
    shows(_OF, _show, **_ADMINS),
    changes(f"{_OF}/settings", _change, **_ADMINS),
    changes(f"{_OF}/remove", _remove, **_ADMINS),
    shows("sounds/<sound>", _sound),
    changes("sounds/upload", _upload, takes_file=True, **_ADMINS),
    changes("sounds/<sound>/remove", _remove_sound, **_ADMINS),
)
