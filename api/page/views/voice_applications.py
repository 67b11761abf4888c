"""Voice applications, and the sounds that they play: seen by those who may use them, kept by admins."""

from __future__ import annotations

from functools import partial
from typing import Final

from api.page.forms import Options
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageFile, PageReply, Visit, changes, shows
from api.page.views.noun_forms import NounForm
from dialer.errors import AlreadyExists, BadValue, NotSetUp
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


async def _options(visit: Visit, _: int) -> Options:
    through = await visit.ask(gateways.listed, visit.who)
    return {"gateway_id": [("", ""), *((str(each.id), each.name) for each in through)]}


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
FORM: Final = NounForm(
    cls=VoipApp,
    fields=FIELDS,
    template="voice_application.html",
    place="voice-applications",
    parameter="app",
    word="voice application",
    told="application",
    read=gateways.application,
    create=gateways.create_application,
    change=gateways.change_application,
    remove=gateways.remove_application,
    options=_options,
)

ROUTES: Final = (
    shows("voice-applications", _list),
    *FORM.routes(),
    shows("sounds/<sound>", _sound),
    changes("sounds/upload", _upload, takes_file=True, **_ADMINS),
    changes("sounds/<sound>/remove", _remove_sound, **_ADMINS),
)
