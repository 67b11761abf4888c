"""Refusals of what no route serves: an address that is not there, a method that is not taken."""

from __future__ import annotations

from typing import cast

from twisted.web.iweb import IRequest
from twisted.web.resource import Resource

from api.request import ApiRequest


class Refused(Resource):
    """Answers every request in the same way."""

    isLeaf = True

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__()
        self._status = status
        self._sentence = sentence

    def render(self, request: IRequest) -> bytes:
        """The refusal."""
        here = cast(ApiRequest, request)
        return here.prepared(here.refused(self._status, self._sentence, {}))
