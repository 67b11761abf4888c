"""The rows of the calling rules: one for each thing that a place asks of its callers, with the source that says so."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

import phonenumbers
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dialer.errors import BadValue
from dialer.model import Campaign, Purpose, VoipAppType
from dialer.rules.holiday_lists import holidays_of

ANYWHERE: Final = "*"
"""The place of a row that holds for every number."""
MINUTES_OF_A_DAY: Final = 24 * 60
LONGEST_SPAN: Final = 366 * 86_400
"""Seconds."""

_PLACE = re.compile(r"\*|[A-Z]{2}(-[A-Z0-9]{1,3})?")
_WINDOW = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")

_ANY_YEAR = 2026
"""In which each list has days."""

Window = tuple[int, int]
"""The first minute of a day, and the first one behind the last."""
Windows = tuple[Window, ...]
ALL_DAY: Final[Windows] = ((0, MINUTES_OF_A_DAY),)


class Technology(enum.StrEnum):
    """The voice that a callee hears first."""

    LIVE = "live"
    PRERECORDED = "prerecorded"


def technology_of(campaign: Campaign) -> Technology:
    """Of a campaign's calls: an application that plays or speaks is a recording for the law, and so is a synthetic voice."""
    recorded = campaign.voip_app.type in (VoipAppType.PLAY_AUDIO, VoipAppType.SPEAK)
    return Technology.PRERECORDED if recorded else Technology.LIVE


def _windows(given: Any) -> Any:
    if not isinstance(given, list):
        raise ValueError('expected a list of windows such as ["09:00-12:00", "14:00-20:00"], or an empty one')
    return tuple(_window(each) for each in given)


def _window(given: Any) -> Window:
    found = _WINDOW.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError(f"{str(given)[:40]!r} is not a window; expected one such as 09:00-20:00")
    first, last = (int(found[at]) * 60 + int(found[at + 1]) for at in (1, 3))
    if not first < last <= MINUTES_OF_A_DAY:
        raise ValueError(f"{given!r} does not end after its start, on the same day; expected one such as 09:00-20:00")
    return first, last


def _place(given: Any) -> Any:
    if not isinstance(given, str) or not _PLACE.fullmatch(given):
        raise ValueError(f"{str(given)[:40]!r} is not a place; expected a country such as FR, a state such as US-FL, or *")
    if given != ANYWHERE and given[:2] not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{given!r} is not a place: there is no country {given[:2]}")
    return given


def _holidays(given: Any) -> Any:
    holidays_of(str(given), _ANY_YEAR)
    return given


Hours = Annotated[Windows | None, BeforeValidator(_windows)]
Dates = Annotated[tuple[date, ...], BeforeValidator(tuple)]


class Cap(BaseModel):
    """At most `most` attempts to a number within any `seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    most: int = Field(ge=1, le=10_000)
    seconds: int = Field(ge=60, le=LONGEST_SPAN)

    @property
    def text(self) -> str:
        """`3 attempts in 24 h`."""
        return f"{self.most} attempt{'s' if self.most > 1 else ''} in {span_text(self.seconds)}"


class RuleRow(BaseModel):
    """A row. What it does not say, it does not limit: a day without windows of its own (None) is open all day, and a holiday
    without them is like its day of the week."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Annotated[str, BeforeValidator(_place)]
    name: str = Field(min_length=1, max_length=100)
    purposes: tuple[Purpose, ...] = ()
    technology: Technology | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    weekday: Hours = None
    saturday: Hours = None
    sunday: Hours = None
    holiday: Hours = None
    holidays: Annotated[str | None, BeforeValidator(_holidays)] = None
    more_holidays: Dates = ()
    attempts: tuple[Cap, ...] = ()
    rest_after_answer: int = Field(0, ge=0, le=LONGEST_SPAN)
    min_ring: int = Field(0, ge=0, le=120)
    source: str = Field(min_length=1, max_length=500)
    read_on: date
    confidence: Literal["high", "medium", "low"]
    note: str = ""

    @model_validator(mode="after")
    def _holidays_are_told(self) -> Self:
        if self.holiday is not None and self.holidays is None and not self.more_holidays:
            raise ValueError("has hours for holidays, and does not say which days these are: holidays, more_holidays")
        return self

    def __hash__(self) -> int:
        """Rows are looked up again and again: their names tell most of them apart."""
        return hash((self.place, self.name))

    @property
    def limits_hours(self) -> bool:
        """Whether there is a time at which it forbids calls."""
        return any(each is not None for each in (self.weekday, self.saturday, self.sunday, self.holiday))

    @property
    def counts(self) -> bool:
        """Whether it looks at earlier calls."""
        return bool(self.attempts) or self.rest_after_answer > 0

    def covers(self, place: str) -> bool:
        """Whether it holds in a place: in its own, and in the states of its country."""
        return self.place in (ANYWHERE, place) or place.startswith(f"{self.place}-")

    def meant_for(self, purpose: Purpose, technology: Technology) -> bool:
        """Whether it holds for such calls."""
        return (not self.purposes or purpose in self.purposes) and self.technology in (None, technology)

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a holiday there."""
        return day in self.more_holidays or (self.holidays is not None and day in holidays_of(self.holidays, day.year))

    def valid_on(self, day: date) -> bool:
        """Whether it holds on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def shown_windows(windows: Windows) -> list[str]:
    """As a file of rules has them: `08:00-20:00`."""
    return ["-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in each) for each in windows]


def check_place(text: str, field: str) -> str:
    """A place in capital letters. Raises `BadValue` naming `field`."""
    try:
        return str(_place(text.upper()))
    except ValueError as error:
        raise BadValue(field, str(error)) from None


def span_text(seconds: int) -> str:
    """`24 h`, `7 d`, `90 s`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds % size == 0 and (unit != "d" or seconds > size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


class Replacement(BaseModel):
    """The word that the shipped rows of a place shall hold no more, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Annotated[str, BeforeValidator(_place)]
    reason: str = Field(min_length=10, max_length=500)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    row: list[RuleRow] = []
    replace: list[Replacement] = []


def read_rows(text: str, source: str) -> tuple[tuple[RuleRow, ...], tuple[Replacement, ...]]:
    """The rows of a TOML text, and the places whose shipped rows they replace. Raises `BadValue` (field: `source`) that names
    each thing that is wrong, with the row that has it."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadValue(source, f"is not TOML: {error}") from None
    try:
        found = _File.model_validate(raw)
    except ValidationError as error:
        raise BadValue(source, "; ".join(_problems(error, raw))) from None
    return tuple(found.row), tuple(found.replace)


def _problems(error: ValidationError, raw: Mapping[str, Any]) -> Iterable[str]:
    for item in error.errors():
        where = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in item["loc"])
        rows = raw.get("row")
        if len(item["loc"]) > 1 and isinstance(rows, list) and item["loc"][0] == "row":
            row = rows[int(item["loc"][1])]
            name = row.get("name") if isinstance(row, Mapping) else None
            where += f" ({name})" if isinstance(name, str) else ""
        match item["type"]:
            case "extra_forbidden":
                yield f"{where} is nothing that a row has"
            case "missing":
                yield f"{where} is missing"
            case _:
                yield f"{where}: {item['msg'].removeprefix('Value error, ')}"
