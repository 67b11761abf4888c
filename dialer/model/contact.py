"""A contact stands in a phonebook; in a campaign it is a subscriber."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from attrs import Factory, frozen


class SubscriberStatus(enum.IntEnum):
    """The values of the 2011 API, 6 and 7 included. START is "pending": ready to be called from `ready_at` on."""

    START = 1
    PAUSE = 2
    ABORT = 3
    FAIL = 4
    COMPLETE = 5
    IN_PROCESS = 6
    NOT_AUTHORISED = 7


@frozen(kw_only=True)
class Contact:
    """A contact to be stored, as an import or a request brings it; `number` is validated."""

    number: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    description: str = ""
    additional_vars: Mapping[str, str] = Factory(dict)


@frozen(kw_only=True)
class Progress:
    """How far a campaign is: subscribers by status, and how many of those pending wait for a moment after now."""

    subscribers: Mapping[SubscriberStatus, int]
    waiting: int = 0
    next_ready_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """True when no subscriber will be called any more."""
        return not any(self.subscribers.get(s) for s in (SubscriberStatus.START, SubscriberStatus.IN_PROCESS))
