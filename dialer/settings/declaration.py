"""The declaration of a setting: type, default, bounds, unit, and a sentence on what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

DECLARED = "setting"
"""The key of a field's metadata under which its `Declaration` stands."""


@frozen(kw_only=True)
class Declaration:
    """A setting, beside its name, its type and its default: `text` says what it does, `bounds` are pydantic's, `given` is the
    type that the file has, None for that of the value. The file has a `secret`, or tells where it is
    (`dialer.secret_sources`)."""

    text: str
    unit: str
    live: bool
    given: Any
    bounds: Mapping[str, Any]
    secret: bool = False


def setting(
    default: Any,
    text: str,
    *,
    unit: str = "",
    live: bool = False,
    secret: bool = False,
    given: Any = None,
    converter: Any = None,
    **bounds: Any,
) -> Any:
    """A setting; its `default` is as it stands in the file, and NOTHING for one that has to be given. Bounds are checked when
    a file is read. A secret one is not shown by `repr`."""
    if secret:
        text = f"{text}; file:PATH or env:NAME take it from a file's first line or from the environment"
    declared = Declaration(text=text, unit=unit, live=live, given=given, bounds=bounds, secret=secret)
    return field(default=default, repr=not secret, converter=converter, metadata={DECLARED: declared})
