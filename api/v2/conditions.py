"""Conditions of a request (RFC 9110, section 13): the tags of what is shown, and who has seen the newest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from api.v2.problems import Problem
from dialer.management.management import Around, Transaction, UseCase

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')

CHANGED: Final = "it was changed meanwhile: its ETag is not one of those in If-Match"


def tag_of(body: bytes) -> str:
    """The entity tag of what is shown: the same for the same bytes only."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(header: str, tag: str, *, weakly: bool) -> bool:
    """Whether a list of tags has this one; `*` has any. A weak tag counts where `weakly`."""
    if header.strip() == "*":
        return True
    return any(f'"{inner}"' == tag for weak, inner in _TAG.findall(header) if weakly or not weak)


def unless_changed(header: str, current: UseCase[Any, Any], args: tuple[Any, ...], body: Callable[[Any], bytes]) -> Around:
    """Around a use case that changes something: what `current` shows first must be what If-Match names. Raises `Problem`."""

    def around(t: Transaction, run: Callable[[], Any]) -> Any:
        if not matches(header, tag_of(body(current(t, *args))), weakly=False):
            raise Problem("precondition-failed", CHANGED)
        return run()

    return around
