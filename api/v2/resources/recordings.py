"""`attempts/<id>/recording`: what was recorded of a call, for those who may see its record."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from api.v2.ranges import RangedFile
from api.v2.resources.attempts import UUID
from api.v2.routes import Asked, Route
from dialer.management import recordings
from dialer.model import Scope

WAV: Final = "audio/wav"
_OF: Final = "attempts/<attempt_id>/recording"


def _content(asked: Asked) -> Deferred[RangedFile]:
    """The recording of a call, or a part of it."""
    return Deferred.fromCoroutine(_file(asked))


async def _file(asked: Asked) -> RangedFile:
    file = await recordings.content(asked.management, asked.who, asked.path["attempt_id"])
    return RangedFile(content_type=WAV, file=file)


def _remove(asked: Asked) -> Deferred[None]:
    """Remove the recording of a call; the call's record stays."""
    return Deferred.fromCoroutine(recordings.remove(asked.management, asked.who, asked.path["attempt_id"]))


ROUTES: Final = (
    Route(
        method="GET",
        path=_OF,
        scope=Scope.READ,
        serve=_content,
        files=(WAV,),
        ranges=True,
        parameters=(UUID,),
        refusals=("not-set-up",),
    ),
    Route(
        method="DELETE",
        path=_OF,
        scope=Scope.DIAL,
        serve=_remove,
        status=204,
        parameters=(UUID,),
        refusals=("not-set-up",),
    ),
)
