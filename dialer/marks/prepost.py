"""`prepost` of an app: what is run before its first event, and behind its `yield` at the end; and arguments by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from dialer.marks.session import AppClient, Pool


def prepared(made: Any, client: AppClient) -> Iterator[object] | None:
    """Run the app's `prepost` as far as its `yield`, if it has one; returns the rest. It is given what its required arguments
    name: client, listener, pool, and whatever else a client has. Raises what it raises, and TypeError for a name that is
    not there."""
    prepost = getattr(made, "prepost", None)
    if prepost is None:
        return None
    given = []
    for name in required(prepost):
        there = Pool(client) if name == "pool" else getattr(client, name, None)
        if there is None:
            raise TypeError(f"prepost asks for {name}, which is not there; expected client, listener or pool")
        given.append(there)
    rest = prepost(*given)
    if not inspect.isgenerator(rest):
        return None
    next(rest, None)
    return rest


def required(function: Callable[..., Any]) -> list[str]:
    """The names of its arguments without a default."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.default is inspect.Parameter.empty and each.kind in kinds]


def takes_job(method: Callable[..., Any]) -> bool:
    """Callbacks of CHANNEL_HANGUP and BACKGROUND_JOB get the job beside the session. It is None here: an originate of the
    dialer is no job of an app."""
    return len(required(method)) > 1
