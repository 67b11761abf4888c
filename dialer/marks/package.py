"""switchio, as far as hooks need it: its marks, models and utilities, without its `__init__`.

That imports its client and event loop, which use what Python 3.11 has removed from asyncio, and which are not to run here. So
a package that was never executed stands in `sys.modules` under its name, with its folder as `__path__`: whatever a module of
an app imports from `switchio` is found there, and the names of `switchio` itself that a hook can use are looked up when they
are asked for.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final

from dialer.errors import BadValue

NAME: Final = "switchio"

_HOMES: Final = {
    "event_callback": "marks",
    "callback": "marks",
    "handler": "marks",
    "coroutine": "marks",
    "get_logger": "utils",
    "ESLError": "utils",
}
"""The names of the package itself that a hook can use, by the module that has them."""


def module(name: str) -> Any:
    """A module of switchio, such as `marks`. Raises `BadValue` when switchio is not installed."""
    _stand_in()
    return import_module(f"{NAME}.{name}")


def _stand_in() -> None:
    if NAME in sys.modules:
        return
    spec = find_spec(NAME)
    if spec is None or spec.submodule_search_locations is None:
        raise BadValue("hooks.apps", "switchio, which has the marks, is not installed: pip install switchio==0.1.0a1")
    package = module_from_spec(spec)
    package.__getattr__ = _looked_up  # type: ignore[method-assign]
    sys.modules[NAME] = package
    _quieten(import_module(f"{NAME}.utils"))


def _looked_up(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"{name} of switchio is not there in a dialer, which has its own connection to the switch")
    return getattr(import_module(f"{NAME}.{_HOMES[name]}"), name)


def _quieten(utils: ModuleType) -> None:
    """Its modules would set up the root logger, and write to standard error, when they miss a package that is not needed."""
    logger = logging.getLogger(NAME)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    utils.log_to_stderr = lambda _level=None: utils.get_logger()  # type: ignore[attr-defined]


MOST_UNSAID: Final = 100
"""Lines that apps have written and nobody has taken yet."""


class AppLog(logging.Handler):
    """Takes what apps write to switchio's logger from `warning` on, and has `post` call `say` with it: the level, the text.
    What is written faster than it is taken is lost."""

    def __init__(self, post: Callable[..., object], say: Callable[[str, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._post = post
        self._say = say
        self._written = 0
        self._taken = 0

    def emit(self, record: logging.LogRecord) -> None:
        """`logging.Handler`: one record, under its lock."""
        if self._written - self._taken >= MOST_UNSAID:
            return
        try:
            text = record.getMessage()
        except Exception as error:
            text = f"{record.msg!r} cannot be written: {error}"
        self._written += 1
        self._post(self._take, record.levelname.lower(), text)

    def _take(self, level: str, text: str) -> None:
        self._taken += 1  # without the lock: whoever holds it may be an app that does not return
        self._say(level, text)

    def begin(self) -> None:
        """From now on, the log of the apps comes here, and nowhere else."""
        logging.getLogger(NAME).addHandler(self)

    def end(self) -> None:
        """No more."""
        logging.getLogger(NAME).removeHandler(self)
