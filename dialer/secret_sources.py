"""Where a secret of the configuration comes from: it stands there itself, or in its place `file:PATH` or `env:NAME`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dialer.errors import BadValue
from dialer.safe_files import UnsafeFile, refusal
from dialer.safe_paths import read_text

_FILE: Final = "file:"
_ENVIRONMENT: Final = "env:"


def file_of(text: str, folder: Path) -> Path | None:
    """The file that a secret comes from, a relative path counted from `folder`; None for one that comes from elsewhere."""
    return folder / text.removeprefix(_FILE) if text.startswith(_FILE) else None


def is_elsewhere(text: str) -> bool:
    """Whether this is no secret, but tells where one is."""
    return text.startswith((_FILE, _ENVIRONMENT))


def secret_of(text: str, field: str, folder: Path) -> str:
    """The secret itself: the first line of the file, or the value of the variable. Raises `BadValue` naming `field` for one
    that cannot be had, or is empty; it never shows a secret."""
    if text.startswith(_ENVIRONMENT):
        name = text.removeprefix(_ENVIRONMENT)
        where, found = f"the environment's {name}", os.environ.get(name)
        if found is None:
            raise BadValue(field, f"there is no variable {name} in the environment")
    elif (path := file_of(text, folder)) is not None:
        where, found = str(path), _first_line(path, field)
    else:
        return text
    if not found:
        raise BadValue(field, f"{where} is empty; expected a secret")
    return found


def _first_line(path: Path, field: str) -> str:
    try:
        text = read_text(path)
    except (OSError, UnsafeFile) as error:
        raise BadValue(field, f"{path} {refusal(error, 'read')}") from None
    except ValueError:  # no UTF-8, or a NUL in the path
        raise BadValue(field, f"{path} is not a file of text in UTF-8") from None
    return text.partition("\n")[0].removesuffix("\r")
