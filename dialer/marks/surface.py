"""The parts of switchio that an app uses and that a dialer does not have, as far as its source tells.

Looked at are the attributes of what a marked method, or any of its helpers, is given as its session, and of what `prepost` is
given by name. What an app reaches by other ways is found when it runs.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dialer.marks.app import HookApp
from dialer.marks.prepost import required
from dialer.marks.session import AppClient, HookListener, HookSession, Pool

_SESSION_NAMES: Final = frozenset({"sess", "session"})
_SESSION_FIELDS: Final = frozenset(
    {"answered", "bg_job", "call", "cid", "con", "duration", "event_loop", "events", "hungup", "tasks", "times", "uuid"}
    | {"vars"}
)
_LISTENER_FIELDS: Final = frozenset(
    {"bg_jobs", "calls", "event_loop", "failed_sessions", "hangup_causes", "host", "sessions", "total_answered_sessions"}
)
_CLIENT_FIELDS: Final = frozenset({"client", "host", "listener", "log"})
_REFUSED: Final[Mapping[str, str]] = {
    "clear_tasks": "would remove the time limit of the call",
    "originate": "a dialer's calls are those of its campaigns",
    "hupall": "a dialer's calls are those of its campaigns",
}


def missing(app: HookApp) -> list[str]:
    """What it uses and will not find, each with the method that does."""
    found: dict[str, None] = {}
    for name in dir(app.found):
        method = inspect.getattr_static(app.found, name, None)
        if inspect.isfunction(method):
            found |= dict.fromkeys(_missing_in(name, method))
    return list(found)


def _missing_in(name: str, method: Any) -> Iterator[str]:
    known = _known_arguments(name, method)
    if name == "prepost":
        for argument in required(method):
            if argument != "self" and argument not in {*known, *dir(AppClient), *_CLIENT_FIELDS}:
                yield f"{name} asks for {argument}: it is not there"
    for argument, attribute in _attributes(method):
        if argument in known and (attribute in _REFUSED or attribute not in known[argument]):
            yield f"{name} uses {argument}.{attribute}: {_REFUSED.get(attribute, 'it is not there')}"


def _known_arguments(name: str, method: Any) -> dict[str, frozenset[str]]:
    """The arguments of a method whose kind is known, each with the attributes that it has."""
    if name == "prepost":
        return {
            "client": frozenset(dir(AppClient)) | _CLIENT_FIELDS,
            "listener": frozenset(dir(HookListener)) | _LISTENER_FIELDS,
            "pool": frozenset(dir(Pool)) | {"clients"},
        }
    names = required(method)
    sessions = _SESSION_NAMES.intersection(names)
    kind = getattr(method, "_switchio_handler_type", "")
    if kind in ("callback", "coroutine") and len(names) > 1:
        sessions |= {names[1]}
    return dict.fromkeys(sessions, frozenset(dir(HookSession)) | _SESSION_FIELDS)


def _attributes(method: Any) -> Iterator[tuple[str, str]]:
    """The attributes that its source reads of a name."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return  # it has no source that could be read
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.value.id, node.attr
