"""An app as it is loaded: its marked methods, the events that they ask for, and what it uses that a dialer does not have."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final, Literal, get_args

from attrs import frozen

from dialer.errors import BadValue
from dialer.loading import named_object
from dialer.marks import package
from dialer.marks.event_names import NAMES

MarkKind = Literal["handler", "callback", "coroutine"]

FORM: Final = "package.module:Class"


@frozen(kw_only=True)
class Mark:
    """A method that is called with events of one name, or of one subclass of CUSTOM."""

    event: str
    kind: MarkKind
    method: str


@frozen(kw_only=True)
class HookApp:
    """`found` is a class, which is to be made once, or an object. `marks` are in the order in which they are called for an
    event. `also` are events that its coroutines wait for."""

    name: str
    found: Any
    marks: tuple[Mark, ...]
    also: frozenset[str] = frozenset()

    @property
    def events(self) -> frozenset[str]:
        """All that it asks for, by name or by subclass."""
        return frozenset(mark.event for mark in self.marks) | self.also

    @property
    def kinds(self) -> frozenset[str]:
        """Those of them that FreeSWITCH knows by name."""
        return self.events & NAMES

    @property
    def subclasses(self) -> frozenset[str]:
        """The others: subclasses of CUSTOM."""
        return self.events - NAMES

    def made(self) -> Any:
        """The object whose methods are called. Raises whatever its class does."""
        return self.found() if isinstance(self.found, type) else self.found


def load(name: str, field: str = "hooks.apps") -> HookApp:
    """The app that `package.module:Class` names. Raises `BadValue` naming `field`: there is no such class, it cannot be made
    without arguments, nothing of it is marked, or a mark that means nothing."""
    package.module("marks")  # first, so that its module finds switchio
    found = named_object(name, field, FORM)
    if inspect.ismodule(found):
        raise BadValue(field, f"{name} is a module; expected a class, or an object, in it")
    if isinstance(found, type):
        _check_made(name, found, field)
    marks = sorted(_marks(found, name, field), key=lambda mark: mark.kind != "handler")
    if not marks:
        raise BadValue(field, f"{name} has no marked method; expected one such as @event_callback('CHANNEL_ANSWER')")
    also = frozenset(event for _, method in _marked(found) for event in method.switchio_events_sub)
    for event in also:
        _check_event(event, name, "subscribe", field)
    return HookApp(name=name, found=found, marks=tuple(marks), also=also)


def load_all(names: Iterable[str], field: str = "hooks.apps") -> tuple[HookApp, ...]:
    """All of them. Raises `BadValue`, also for one that is named twice."""
    names = tuple(names)
    for name in names:
        if names.count(name) > 1:
            raise BadValue(field, f"{name} is named twice; a subclass is another app")
    return tuple(load(name, field) for name in names)


def _check_made(name: str, found: type, field: str) -> None:
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise BadValue(field, f"{name} cannot be made without arguments ({error}); expected a subclass that can") from None
    except ValueError:
        return  # a class without a signature: making it will tell


def _marked(found: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(found):
        method = inspect.getattr_static(found, name)
        method = method.__func__ if isinstance(method, staticmethod | classmethod) else method
        if callable(method) and hasattr(method, "switchio_init_events"):
            yield name, method


def _marks(found: Any, app: str, field: str) -> Iterator[Mark]:
    for name, method in _marked(found):
        kind = method._switchio_handler_type
        if kind not in get_args(MarkKind):
            raise BadValue(field, f"{app}.{name} is marked as {kind!r}; expected {', '.join(get_args(MarkKind))}")
        if inspect.iscoroutinefunction(method) != (kind == "coroutine"):
            wanted = "an async def" if kind == "coroutine" else "no async def, or the mark coroutine"
            raise BadValue(field, f"{app}.{name} is marked as {kind}; expected {wanted}")
        for event in dict.fromkeys(method.switchio_init_events):
            _check_event(event, app, name, field)
            yield Mark(event=event, kind=kind, method=name)


def _check_event(event: object, app: str, method: str, field: str) -> None:
    if isinstance(event, str) and (event in NAMES or _is_subclass(event)):
        return
    near = get_close_matches(str(event).upper(), NAMES, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise BadValue(
        field,
        f"{app}.{method}: {event!r} is neither an event of FreeSWITCH nor a subclass such as conference::maintenance{hint}",
    )


def _is_subclass(event: str) -> bool:
    return "::" in event and len(event) <= 128 and event[:1].isalnum() and all(c.isalnum() or c in "_.:-" for c in event)
