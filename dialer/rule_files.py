"""The rule book of an installation, from its settings: the rows that are shipped, and those of a file of its own."""

from __future__ import annotations

from pathlib import Path

from dialer.errors import BadValue
from dialer.rules.book import NO_RULES, RuleBook, UnknownZone, replaced, shipped_rows
from dialer.rules.rows import Replacement, RuleRow, read_rows
from dialer.safe_files import UnsafeFile, refusal
from dialer.safe_paths import read_text
from dialer.settings import RulesSettings


def rule_book(settings: RulesSettings, folder: Path) -> RuleBook:
    """The book; a relative path of a file counts from `folder`. Raises `BadValue` for a file that is none, or that would do
    nothing."""
    if settings.apply == "none":
        if settings.file:
            raise BadValue("rules.file", 'names a file, and rules.apply is "none": it would not be looked at')
        return NO_RULES
    if settings.apply == "file" and not settings.file:
        raise BadValue("rules.apply", 'is "file", and rules.file names none')
    rows, replacements = own_rows(settings, folder)
    shipped = replaced(shipped_rows(), replacements) if settings.apply == "shipped" else ()
    return RuleBook((*shipped, *rows), UnknownZone(settings.unknown_zone))


def own_rows(settings: RulesSettings, folder: Path) -> tuple[tuple[RuleRow, ...], tuple[Replacement, ...]]:
    """Those of the file of the settings, and the places whose shipped rows it replaces; nothing without a file. Raises
    `BadValue`."""
    if not settings.file:
        return (), ()
    path = folder / settings.file
    try:
        text = read_text(path)
    except (OSError, UnsafeFile) as error:
        raise BadValue(str(path), refusal(error, "read")) from None
    except UnicodeDecodeError:
        raise BadValue(str(path), "is not TOML: it is not UTF-8") from None
    return read_rows(text, str(path))
