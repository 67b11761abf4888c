"""A row of the calling rules, in words."""

from __future__ import annotations

from collections.abc import Iterator

from api.page.rendering import text
from dialer.rules.rows import RuleRow, Windows, shown_windows, span_text


def hours_in_words(row: RuleRow) -> str:
    """When it lets calls be made; "" where it says nothing of that."""
    if not row.limits_hours:
        return ""
    days = (row.weekday, row.saturday, row.sunday)
    if days[0] == days[1] == days[2]:
        told = [text("rules.every-day", hours=_shown(row.weekday))]
    else:
        keys = ("rules.weekday", "rules.saturday", "rules.sunday")
        told = [text(key, hours=_shown(windows)) for key, windows in zip(keys, days, strict=True)]
    if row.holiday is not None:
        told.append(text("rules.holiday", hours=_shown(row.holiday)))
    return "; ".join(told)


def _shown(windows: Windows | None) -> str:
    if windows is None:
        return text("rules.any-time")
    return ", ".join(each.replace("-", "–") for each in shown_windows(windows)) or text("rules.no-calls")


def limits_in_words(row: RuleRow) -> str:
    """What else it asks of calls; "" for nothing."""
    return "; ".join(_limits(row))


def _limits(row: RuleRow) -> Iterator[str]:
    for cap in row.attempts:
        yield text("rules.cap", most=cap.most, span=span_text(cap.seconds))
    if row.rest_after_answer:
        yield text("rules.rest", span=span_text(row.rest_after_answer))
    if row.min_ring:
        yield text("rules.ring", seconds=row.min_ring)


def meant_for(row: RuleRow) -> str:
    """The calls that it is meant for."""
    words = [*map(str, row.purposes), *([str(row.technology)] if row.technology else [])]
    return ", ".join(words) or text("rules.all-calls")
