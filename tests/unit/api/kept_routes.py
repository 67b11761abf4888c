"""Routes that are used again. To compile those of a branch takes longer than most tests, and they are the same for each site;
what serves them is made anew.

The first app of each kind is made as in the product. When it is complete, its map of routes is kept for the next ones, which
must have the same routes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any
from unittest import mock

from attrs import define, field
from klein import Klein
from klein._app import _call
from werkzeug.routing import Map

from api import klein_app


@define(eq=False)
class _Kept:
    routes: Map
    known: set[tuple[str, str, str]] = field(factory=set)


_kept: dict[Hashable, _Kept] = {}


class KeptKlein(Klein):
    """Takes the routes of the first one of its kind."""

    def __init__(self, kind: Hashable) -> None:
        super().__init__()
        self.known: set[tuple[str, str, str]] = set()
        self._is_first = kind not in _kept
        if not self._is_first:
            self._url_map = _kept[kind].routes
            vars(self._url_map).pop("bind", None)  # what `api.prepared` put there for the app before

    def route(self, url: str, *arguments: Any, **more: Any) -> Callable[[Any], Any]:
        add = super().route(url, *arguments, **more) if self._is_first else partial(self._serve, url)

        def decorate(served: Any) -> Any:
            self.known.add((served.__name__, url, repr(more)))
            return add(served)

        return decorate

    def _serve(self, url: str, served: Any) -> Any:
        """As Klein does, without a rule."""

        def execute(instance: Any, request: Any, *arguments: Any, **more: Any) -> Any:
            return _call(instance, served, request, *arguments, **more)

        execute.segment_count = self._segments_in_url(url) + self._subroute_segments  # type: ignore[attr-defined]
        self._endpoints[served.__name__] = execute
        return served


def built(build: partial[Klein]) -> Klein:
    """What `build` makes, with the routes of the first app that it made, if that had the same texts among its arguments."""
    kind = (build.func.__module__, *(each for each in build.args if isinstance(each, str)))
    with mock.patch.object(klein_app, "Klein", partial(KeptKlein, kind)):
        made: Any = build()
    kept = _kept.setdefault(kind, _Kept(made.url_map, made.known))
    assert made.known == kept.known, "other routes than those that are kept"
    return made
