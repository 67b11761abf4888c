"""Applications of an installation's own: `package.module:function` in the configuration."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping

from dialer.apps.context import Application
from dialer.apps.runner import BUILT_IN
from dialer.errors import BadValue
from dialer.model import VoipAppType


def applications(own: Mapping[VoipAppType, str]) -> dict[VoipAppType, Application]:
    """The application of each kind: the one that is named, else the built-in one. Raises `BadValue` naming the setting."""
    loaded = {kind: load(name, f"apps.{kind.name.lower()}") for kind, name in own.items() if name}
    return {**BUILT_IN, **loaded}


def load(name: str, field: str) -> Application:
    """The coroutine function `package.module:function`. Raises `BadValue` naming `field`: a module that cannot be imported,
    whatever it raises, a name that it does not have, or what is no `async def` of two arguments."""
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path:
        raise BadValue(field, f"{name!r} is not package.module:function")
    try:
        found: object = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise BadValue(field, f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not inspect.iscoroutinefunction(found):
        raise BadValue(field, f"{name} is not an async def")
    try:
        inspect.signature(found).bind(None, None)
    except TypeError:
        raise BadValue(field, f"{name} does not take two arguments, the call and its context") from None
    return found
