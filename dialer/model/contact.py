"""A contact stands in a phonebook; in a campaign it is a subscriber."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import Factory, frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.kinds import Variables
from dialer.model.caller_id import CallerIdWait
from dialer.model.consent import ConsentBasis
from dialer.model.phonebook import Phonebook
from dialer.time_kinds import KnownZone


class SubscriberStatus(enum.IntEnum):
    """The values of the 2011 API, 6 and 7 included. START is "pending": ready to be called from `ready_at` on."""

    START = 1
    PAUSE = 2
    ABORT = 3
    FAIL = 4
    COMPLETE = 5
    IN_PROCESS = 6
    NOT_AUTHORISED = 7


@noun("contact")
@frozen(kw_only=True)
class Contact:
    """Somebody to call. `number` is validated; `additional_vars` are for voice applications."""

    id: int = key()
    phonebook_id: int = reference("phonebook", reverse="contacts", default=0, read_only=True, doc="where it stands")
    number: str = setting(
        longest=64, shortest=1, v1="contact", doc="the number to call, in any spelling; unique in its phonebook"
    )
    identity: str = setting("", longest=64, read_only=True, doc="its canonical digits, by which it is compared")
    first_name: str = setting("", v1="first_name", doc="for voice applications and people")
    last_name: str = setting("", v1="last_name", doc="for voice applications and people")
    email: str = setting("", v1="email", doc="for voice applications and people")
    description: str = setting("", longest=2000, lines=True, v1="description", doc="for people")
    additional_vars: Mapping[str, str] = setting(
        Factory(dict), kind=Variables(), v1="additional_vars", doc="further values for voice applications, by their names"
    )
    double_of: int | None = reference(
        "contact", reverse="doubles", default=None, read_only=True, doc="the contact of its phonebook that has the same number"
    )
    created_at: datetime = stamp("when it was created", v1="created_date")
    updated_at: datetime = stamp("when it was last changed", v1="updated_date")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its attempts stay")
    priority: int = setting(5, le=9, doc="9 is called first, 0 last; before the order of its campaign counts")
    time_zone: str = setting("", kind=KnownZone(), doc="where it is known to be; empty: its number tells, as far as that can")
    reference: str = setting(
        "", longest=255, doc="your own word for the contact, unique in its phonebook, which its events repeat"
    )
    consent_basis: ConsentBasis | None = setting(
        None, doc="what its consent to be called rests on: express and written are the contact's own; null: there is none"
    )
    consent_given_at: datetime | None = setting(
        None, doc="when the consent was given; it holds from then on, and never without"
    )
    consent_expires_at: datetime | None = setting(None, doc="the consent holds until then; null: until it is taken back")
    consent_proof: str = setting("", longest=500, doc="where the consent can be proved, such as the name of a recording")


@noun("subscriber")
@frozen(kw_only=True)
class Subscriber:
    """A contact in a campaign. `requested_status` is what a user asked for while a call is live."""

    id: int = key()
    campaign_id: int = reference("campaign", reverse="subscribers", doc="the campaign")
    contact_id: int = reference("contact", reverse="subscribers", doc="the contact")
    number: str = setting(longest=64, shortest=1, doc="the contact's number")
    identity: str = setting("", longest=64, doc="the number's identity, unique in the campaign")
    status: SubscriberStatus = setting(SubscriberStatus.START, doc="pending, paused, done, or being called")
    requested_status: SubscriberStatus | None = setting(None, doc="becomes its status when the live call ends")
    ready_at: datetime | None = setting(None, doc="no call before")
    count_attempt: int = setting(0, doc="attempts that count")
    free_retries: int = setting(0, doc="attempts in a row that do not")
    last_attempt_at: datetime | None = setting(None, doc="when the last attempt that counts began")
    priority: int = setting(5, le=9, doc="the contact's priority")
    tally: str = setting("{}", longest=10_000, doc="how often its calls ended in which way")

    held_from: datetime | None = setting(None, doc="when it would be ready if nothing kept it waiting")
    held_by: str | None = setting(None, longest=2000, doc="why it waits, or is refused, for people")
    blocked_by: str | None = setting(None, doc="what it waits for, or is not called for: a word of `BlockReason`")

    @property
    def untouched(self) -> bool:
        """Pending, and never attempted."""
        return self.status is SubscriberStatus.START and not self.count_attempt and self.last_attempt_at is None


@frozen(kw_only=True)
class ContactDetails:
    """A contact, the phonebook that it stands in, and what it is in a campaign: `id` and `status` are those of a subscriber of
    it, or its own when no campaign uses the phonebook; `status` is what a user asked for, while a call is live."""

    id: int
    status: SubscriberStatus
    contact: Contact
    phonebook: Phonebook


@frozen(kw_only=True)
class Progress:
    """How far a campaign is: subscribers by status, and how many of those pending wait for a moment after now; `held_by`
    is why the first of these waits, and `blocked_by` the word for that (of `BlockReason`), "" when nothing but its own time
    keeps it; `caller_id_wait` is why they wait for a caller id, None when they do not."""

    subscribers: Mapping[SubscriberStatus, int]
    waiting: int = 0
    next_ready_at: datetime | None = None
    held_by: str = ""
    blocked_by: str = ""
    caller_id_wait: CallerIdWait | None = None

    @classmethod
    def of(
        cls,
        counts: Mapping[SubscriberStatus, int],
        ready_at: datetime | None,
        held: Sequence[str | None],
        now: datetime,
        caller_id_wait: CallerIdWait | None = None,
    ) -> Progress:
        """How far a campaign is, by its counts, by when the first of those pending is ready, and by what keeps it: why, and
        the word for that."""
        if ready_at is None or ready_at <= now:
            return cls(subscribers=counts, caller_id_wait=caller_id_wait)
        return cls(
            subscribers=counts,
            waiting=counts.get(SubscriberStatus.START, 0),
            next_ready_at=ready_at,
            held_by=held[0] or "",
            blocked_by=held[1] or "",
            caller_id_wait=caller_id_wait,
        )

    @property
    def finished(self) -> bool:
        """True when no subscriber will be called any more."""
        return not any(self.subscribers.get(s) for s in (SubscriberStatus.START, SubscriberStatus.IN_PROCESS))
