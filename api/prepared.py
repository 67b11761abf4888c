"""Klein asks werkzeug's map which route an address means, for each request anew. The same addresses come again and again: the
answers are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field, frozen
from werkzeug.routing import Map, Rule

MOST_ADDRESSES: Final = 4096
"""Addresses that are remembered; when there are more, all are forgotten."""

LONGEST_ADDRESS: Final = 100
"""Characters of an address that is remembered. The usual ones are shorter, and anybody can ask for longer ones."""

Match = tuple[Rule, dict[str, Any]]


def prepare(routes: Map) -> None:
    """Let a map remember its answers. To be called when its rules are complete."""
    prepared: Any = PreparedMap(routes.bind)
    routes.bind = prepared.bind  # type: ignore[method-assign]


@define(eq=False)
class PreparedMap:
    """Stands before a map, whose own `bind` it is made of."""

    _bind: Callable[..., Any]
    _known: dict[tuple[str, str], Match] = field(factory=dict, init=False)

    def bind(self, server_name: str, *arguments: Any, path_info: str, default_method: str, **more: Any) -> PreparedAdapter:
        """The adapter of one request, for that of `werkzeug.routing.Map.bind`. The host plays no part in the routes."""
        return PreparedAdapter(self, path_info, default_method)

    def match(self, path: str, method: str) -> Match:
        """The route and the parts of the address. Raises werkzeug's `HTTPException` when there is none."""
        found = self._known.get((path, method))
        if found is None:
            adapter = self._bind("localhost", path_info=path, default_method=method)
            found = adapter.match(return_rule=True)
            if len(path) <= LONGEST_ADDRESS:
                if len(self._known) >= MOST_ADDRESSES:
                    self._known.clear()
                self._known[path, method] = found
        return found


@frozen(eq=False)
class PreparedAdapter:
    """The rest of werkzeug's `MapAdapter`: one address, one method."""

    prepared: PreparedMap
    path: str
    method: str

    def match(self, *, return_rule: bool) -> Match:
        """The route and the parts of the address. Raises `HTTPException`."""
        return self.prepared.match(self.path, self.method)
