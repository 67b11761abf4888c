"""Numbers whose places and zones are known, and how a ruling is asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from dialer.model import VoipApp, VoipAppType
from dialer.rules.book import RuleBook, shipped_rows
from dialer.rules.decide import EarlierCall, Ruling, decide
from tests.unit.builders import campaign, candidate

RAW: list[dict[str, Any]] = tomllib.loads(resources.files("dialer.rules").joinpath("shipped.toml").read_text())["row"]
"""The shipped file as TOML has it: what is told by it does not come by way of the product's own reader."""

SHIPPED = RuleBook(shipped_rows())
DIAL = VoipApp(id=1, name="agents", type=VoipAppType.DIAL)
PLAY = VoipApp(id=1, name="message", type=VoipAppType.PLAY_AUDIO)

SALES = campaign(voip_app=DIAL, time_zone="UTC")

CITIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "12125550100": ("US-NY", ("America/New_York",)),
    "17735550100": ("US-IL", ("America/Chicago",)),
    "13035550100": ("US-CO", ("America/Denver",)),
    "12135550100": ("US-CA", ("America/Los_Angeles",)),
    "16025550100": ("US-AZ", ("America/Phoenix",)),  # no daylight saving
    "19285550100": ("US-AZ", ("America/Phoenix", "America/Denver")),  # the Navajo Nation has it
    "18505550100": ("US-FL", ("America/Chicago", "America/New_York")),  # Pensacola, Tallahassee
    "14235550100": ("US-TN", ("America/New_York", "America/Chicago")),  # Chattanooga, Whitwell
    "12705550100": ("US-KY", ("America/Chicago", "America/New_York")),  # Bowling Green, Elizabethtown
    "18125550100": ("US-IN", ("America/Indiana/Indianapolis", "America/Chicago")),  # Bloomington, Evansville
    "12085550100": ("US-ID", ("America/Boise", "America/Los_Angeles")),
    "16055550100": ("US-SD", ("America/Chicago", "America/Denver")),  # Sioux Falls, Rapid City
    "17015550100": ("US-ND", ("America/Chicago", "America/Denver")),
    "13085550100": ("US-NE", ("America/Chicago", "America/Denver")),
    "19155550100": ("US-TX", ("America/Denver",)),  # El Paso
    "15415550100": ("US-OR", ("America/Los_Angeles", "America/Boise")),
    "19065550100": ("US-MI", ("America/Detroit", "America/Menominee")),
    "19075550100": ("US-AK", ("America/Anchorage", "America/Adak")),
    "18085550100": ("US-HI", ("Pacific/Honolulu",)),
    "16715550100": ("US-GU", ("Pacific/Guam",)),
    "17875550100": ("US-PR", ("America/Puerto_Rico",)),
    "14165550100": ("CA-ON", ("America/Toronto",)),
    "17095550100": ("CA-NL", ("America/St_Johns", "America/Goose_Bay")),
    "13065550100": ("CA-SK", ("America/Regina", "America/Edmonton")),
    "18765550100": ("JM", ("America/Jamaica",)),
    "33142685300": ("FR", ("Europe/Paris",)),
    "34915550100": ("ES", ("Europe/Madrid",)),
    "34612345678": ("ES", ("Atlantic/Canary", "Europe/Madrid")),  # a mobile phone
    "34922555010": ("ES", ("Atlantic/Canary",)),  # Tenerife
    "61291234567": ("AU", ("Australia/Sydney",)),
    "61891234567": ("AU", ("Australia/Perth", "Australia/Adelaide")),  # one prefix for two states
    "919876543210": ("IN", ("Asia/Calcutta",)),
    "493012345678": ("DE", ("Europe/Berlin",)),
    "442079460958": ("GB", ("Europe/London",)),
    "6498765432": ("NZ", ("Pacific/Auckland",)),
}  # fmt: skip
"""Places and zones by identities; those with several are ambiguous."""


NUMBERS = {place: identity for identity, (place, _) in CITIES.items()} | {
    "US": "12125550100", "US-AL": "12055550100", "US-CT": "12035550100", "US-FL": "13055550100", "US-LA": "15045550100",
    "US-ME": "12075550100", "US-MD": "14105550100", "US-MA": "16175550100", "US-MI": "13135550100", "US-MN": "16125550100",
    "US-MS": "16015550100", "US-NM": "15055550100", "US-NV": "17025550100", "US-OK": "14055550100", "US-PA": "12155550100",
    "US-RI": "14015550100", "US-UT": "18015550100", "US-WA": "12065550100", "US-WY": "13075550100", "CA": "14165550100",
    "US-TN": "16155550100", "US-KY": "15025550100", "US-IN": "13175550100", "US-NE": "14025550100", "US-TX": "12145550100",
    "US-SD": "16055550100", "ES": "34915550100", "AU": "61291234567",
}  # fmt: skip
"""A number of each place that has one zone, as far as there is one."""


def local(text: str, zone: str) -> datetime:
    """A moment as a clock there shows it, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def ruling(
    number: str, now: datetime, history: Sequence[EarlierCall] = (), book: RuleBook = SHIPPED, zone: str = "", **changes: Any
) -> Ruling:
    """Of a campaign for sales, by live agents unless `changes` say otherwise."""
    callee = candidate(number=number, identity=number, time_zone=zone)
    return decide(book, callee, campaign(**{"voip_app": DIAL, **changes}), history, now)
