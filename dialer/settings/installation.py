"""Settings of the installation: its database, its nodes, its numbers, the end of the process, the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import NOTHING, frozen

from dialer import emergency
from dialer.errors import BadValue
from dialer.settings.declaration import setting

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


def _emergency(numbers: Iterable[str]) -> frozenset[str]:
    try:
        return emergency.listed(tuple(numbers))
    except ValueError as error:
        raise BadValue("numbers.emergency", str(error)) from None


@frozen(kw_only=True)
class DatabaseSettings:
    """Where the state is kept."""

    url: str = setting(
        NOTHING,
        "where it is: sqlite:///PATH (a relative PATH counts from this file's folder) or "
        "postgresql://USER:PASSWORD@HOST/DATABASE",
        min_length=1,
        secret=True,
    )


@frozen(kw_only=True)
class NodeSettings:
    """This dialer among those that share a PostgreSQL database."""

    name: str = setting(
        "", "its name, different for each; empty: the name of this machine", pattern="^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$"
    )
    lease: float = setting(
        10.0, "how long it may be unheard of before others take its calls over", unit="seconds", ge=3, le=300
    )


@frozen(kw_only=True)
class NumbersSettings:
    """How numbers are read."""

    region: str = setting(
        "",
        "the country of national numbers, two letters such as DE; empty: none, and every number is taken as it is written. "
        "After a change, run `dialer upgrade`",
        pattern="^([A-Za-z]{2})?$",
    )
    emergency: frozenset[str] = setting(
        (),
        'numbers that are never dialled, nor shown as a caller\'s, beside the emergency numbers of the region: ["0800911"]',
        given=tuple[str, ...],
        converter=_emergency,
        max_length=200,
    )
    caller_id_strict: bool = setting(
        False, "true: calls show numbers of pools of caller ids only; a campaign with another number makes no calls"
    )


@frozen(kw_only=True)
class RulesSettings:
    """The calling rules of the places that are called: hours, holidays, attempts, ring (docs/calling-rules.md)."""

    apply: Literal["shipped", "file", "none"] = setting(
        "shipped",
        "shipped: those that come with the dialer, and those of the file; file: those of the file alone; none: no rules",
        live=True,
    )
    file: str = setting(
        "",
        "a TOML file with rows of your own, read again with this file; a relative path counts from this file's folder",
        live=True,
    )
    unknown_zone: Literal["refuse", "campaign"] = setting(
        "refuse",
        "a contact whose time zone nobody can tell, in a country with hours: refuse: it is not called; campaign: it is taken "
        "to be in the campaign's zone",
        live=True,
    )


@frozen(kw_only=True)
class StopSettings:
    """The time between SIGTERM and the end of the process. No call is begun any more from the signal on."""

    timeout: float = setting(
        20.0, "everything has to be done after so long; what is not is cut off", unit="seconds", live=True, gt=0, le=3600
    )
    wait_for_calls: float = setting(
        0.0,
        "how long live calls may go on; those that are left stay on the switch, and the next start takes them over",
        unit="seconds",
        live=True,
        ge=0,
        le=3600,
    )


@frozen(kw_only=True)
class LogSettings:
    """The log on standard error."""

    level: LogLevel = setting("info", "from which level on: debug, info, warning, error", live=True)
    library_level: LogLevel = setting("warning", "the same for the libraries beneath (Twisted)", live=True)
    format: LogFormat = setting("text", "text, or json: an object a line, for programs that read logs", live=True)
    mask_numbers: bool = setting(
        False, "true: of the numbers of contacts and callers, the log shows the last three digits only", live=True
    )
