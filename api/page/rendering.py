"""From values to HTML. Everything that a template shows is escaped, but for what another template has made; texts for people
come from the one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import escape

from api.page.static_files import address_of
from api.page.texts import TEXTS
from dialer import __version__
from dialer.kinds import word_of

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

PAGES: Final = (
    ("", "overview", False),
    ("campaigns", "campaigns", False),
    ("contacts", "contacts", False),
    ("attempts", "attempts", False),
    ("imports", "imports", False),
    ("calls", "calls", False),
    ("do-not-call", "do-not-call", False),
    ("gateways", "gateways", False),
    ("switches", "switches", True),
    ("voice-applications", "voice-applications", False),
    ("caller-ids", "caller-ids", False),
    ("rules", "rules", False),
    ("webhooks", "webhooks", False),
    ("events", "events", False),
    ("tokens", "tokens", False),
    ("users", "users", True),
    ("doctor", "doctor", True),
    ("audit", "audit", False),
)
"""The menu: address, text, whether for admins only."""


_STANDING: Final = re.compile(r"\{\{ t\('([\w.-]+)'\) \}\}")


def text(key: str, **values: object) -> str:
    """A text of the table, with values at its places. Raises `KeyError` for a key that is none."""
    found = TEXTS[key]
    return found.format(**values) if values else found


def text_or(key: str, otherwise: str) -> str:
    """A text of the table, or another one where it has none."""
    return TEXTS.get(key, otherwise)


def moment(value: datetime | None) -> str:
    """In UTC, to the second."""
    return text("nothing") if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def clock(value: datetime | None) -> str:
    """The time of day in UTC."""
    return text("nothing") if value is None else f"{value.astimezone(UTC):%H:%M:%S}"


def number(value: float | None) -> str:
    """With thin spaces between thousands."""
    return text("nothing") if value is None else f"{value:,.0f}".replace(",", "\u202f")


def per_second(value: float) -> str:
    """Calls per second."""
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def percent(value: float | None) -> str:
    """Of a part from 0 to 1."""
    return text("nothing") if value is None else f"{value * 100:.0f}\u202f%"


def lasting(seconds: float | None) -> str:
    """A span in two units at most."""
    if seconds is None:
        return text("nothing")
    whole = round(seconds)
    if whole < MINUTE:
        return text("span.seconds", seconds=whole)
    if whole < HOUR:
        return text("span.minutes", minutes=whole // MINUTE, seconds=whole % MINUTE)
    if whole < DAY:
        return text("span.hours", hours=whole // HOUR, minutes=whole % HOUR // MINUTE)
    return text("span.days", days=whole // DAY, hours=whole % DAY // HOUR)


def pages_of(is_admin: bool) -> list[tuple[str, str]]:
    """The pages of the menu, each by its address and the key of its text."""
    return [(path, key) for path, key, for_admins in PAGES if is_admin or not for_admins]


class StandingTexts(Extension):
    """Puts texts that have no values into templates when these are compiled, as they are the same whenever they are shown."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The source with them. Raises `KeyError` for a key that the table has not."""
        return _STANDING.sub(lambda found: escape(text(found[1])), source)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("api.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=[StandingTexts],
    )
    made.globals |= {"t": text, "t_or": text_or, "static": address_of, "version": __version__, "pages_of": pages_of}
    made.filters |= {
        "moment": moment,
        "clock": clock,
        "number": number,
        "per_second": per_second,
        "percent": percent,
        "lasting": lasting,
        "word": word_of,
    }
    return made


@frozen(eq=False)
class Renderer:
    """Makes HTML of templates."""

    environment: Environment

    @classmethod
    def new(cls) -> Renderer:
        """Of the templates of this package."""
        return cls(_environment())

    def compile(self) -> None:
        """Compile all templates, which takes half a second; else each is compiled when it is first shown. For any thread."""
        for name in self.environment.list_templates(extensions=("html",)):
            self.environment.get_template(name)

    def html(self, template: str, values: Mapping[str, Any]) -> str:
        """A whole template."""
        return self.environment.get_template(template).render(values)

    def macro(self, template: str, name: str) -> Any:
        """A part of a template, to be called with its values."""
        return getattr(self.environment.get_template(template).module, name)
