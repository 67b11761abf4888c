"""`sounds`: what voice applications play. The files are those of the folder `apps.sounds`, which superusers keep."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import YES_OR_NO, Attribute, answer, is_yes
from api.v2.pages import Page, page_of
from api.v2.ranges import RangedFile
from api.v2.routes import Asked, Route
from api.v2.shapes import shown_moment
from dialer.kinds import Text, Word
from dialer.management import sounds
from dialer.management.sounds import Sound
from dialer.model import Scope

TYPES: Final = {"wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg"}
_TAKEN: Final = (*TYPES.values(), "audio/x-wav", "application/octet-stream")


def _told(found: Sound) -> dict[str, Any]:
    audio = found.audio
    return {
        "name": found.name,
        "size": found.size,
        "changed_at": shown_moment(found.changed_at),
        "is_audio": audio is not None,
        "rate": None if audio is None else audio.rate,
        "channels": None if audio is None else audio.channels,
        "seconds": None if audio is None or audio.seconds is None else round(audio.seconds, 3),
    }


SOUND: Final = answer(
    "Sound",
    "A file that voice applications can play, by its name.",
    {
        "name": {"type": "string"},
        "size": {"type": "integer", "description": "in bytes"},
        "changed_at": {"type": "string", "format": "date-time"},
        "is_audio": {"type": "boolean", "description": "whether its content is WAV, FLAC or Ogg"},
        "rate": {"type": ["integer", "null"], "description": "in Hz"},
        "channels": {"type": ["integer", "null"]},
        "seconds": {"type": ["number", "null"], "description": "how long it is, where the file tells"},
    },
    _told,
)

_SOUND: Final = Attribute(name="sound", kind=Text(120, 1), doc="the name of the file, with its ending", required=True)
_NAME: Final = Attribute(
    name="name",
    kind=Text(120),
    doc="the name of the file: letters, digits, _ . and -, and an ending that its content deserves (wav, flac, ogg)",
    default="",
)
_REPLACE: Final = Attribute(name="replace", kind=YES_OR_NO, doc="yes: it may take the place of another one", default="no")
_SORT: Final = Attribute(name="sort", kind=Word(("name", "-name")), doc="by their names, or backwards", default="name")


def _list(asked: Asked) -> Deferred[list[Sound]]:
    """The sounds of the installation."""
    downwards = asked.query["sort"] == "-name"
    found = sounds.listed(asked.management, asked.who, asked.after or "", asked.limit, downwards)
    return Deferred.fromCoroutine(found)


def _read(asked: Asked) -> Deferred[Sound]:
    """One sound: its length, its rate, when it was changed."""
    return Deferred.fromCoroutine(sounds.read(asked.management, asked.who, asked.path["sound"]))


def _content(asked: Asked) -> Deferred[RangedFile]:
    """The file itself, or a part of it."""
    return Deferred.fromCoroutine(_file(asked))


async def _file(asked: Asked) -> RangedFile:
    file = await sounds.content(asked.management, asked.who, asked.path["sound"])
    return RangedFile(content_type=TYPES[file.name.rpartition(".")[2]], file=file)


def _upload(asked: Asked) -> Deferred[Sound]:
    """Put a sound into the folder, whose content is looked at: it is there whole, or not at all."""
    name, replace = asked.query["name"], bool(is_yes(asked.query, "replace"))
    put = partial(sounds.put, asked.management, asked.who, name, asked.body["content"], replace)
    return asked.ask_after(put, sounds.done, asked.who)


def _remove(asked: Asked) -> Deferred[None]:
    """Remove a sound; campaigns that play it play it no more."""
    return Deferred.fromCoroutine(sounds.remove(asked.management, asked.who, asked.path["sound"]))


_OF: Final = "sounds/<sound>"

ROUTES: Final = (
    Route(
        method="GET",
        path="sounds",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(SOUND),
        page=Page(place=lambda sound: sound.name, by=str),
        parameters=(_SORT,),
        refusals=("not-set-up",),
    ),
    Route(
        method="POST",
        path="sounds",
        scope=Scope.ADMIN,
        serve=_upload,
        raw=_TAKEN,
        parameters=(_NAME, _REPLACE),
        answer=SOUND,
        status=201,
        location="sounds/{name}",
        refusals=("already-exists", "not-set-up"),
    ),
    Route(method="GET", path=_OF, scope=Scope.READ, serve=_read, answer=SOUND, parameters=(_SOUND,), refusals=("not-set-up",)),
    Route(
        method="GET",
        path=f"{_OF}/content",
        scope=Scope.READ,
        serve=_content,
        files=tuple(TYPES.values()),
        ranges=True,
        parameters=(_SOUND,),
        refusals=("not-set-up",),
    ),
    Route(
        method="DELETE",
        path=_OF,
        scope=Scope.ADMIN,
        serve=_remove,
        status=204,
        parameters=(_SOUND,),
        refusals=("not-set-up",),
    ),
)
