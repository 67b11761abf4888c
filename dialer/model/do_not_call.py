"""Whom not to call: the do-not-call lists, what stands on them, and why a number is not called."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp

EVERYBODYS: Final = 1
"""The id of the list that has always been there: it holds for everybody, and callees put themselves on it."""
RESTS: Final = "rests"
"""The name of a user's list of numbers that rest after a call (`dialer.model.rests`)."""


class BlockReason(enum.StrEnum):
    """Why a contact is not called, as a word that does not change; the strongest first."""

    NEVER_DIALLED = "never-dialled"  # such as an emergency number
    DO_NOT_CALL = "do-not-call"
    BLACKLIST = "blacklist"
    WHITELIST = "whitelist"  # it is not on it
    CONSENT = "consent"
    CALLING_RULES = "calling-rules"  # those of the place where it is
    DIALLED_FORM = "dialled-form"  # what the gateway makes of the number is on a list
    NO_GATEWAY = "no-gateway"  # that carries the number


LOOKED_AT_AGAIN: Final = frozenset({BlockReason.CONSENT, BlockReason.CALLING_RULES, BlockReason.NO_GATEWAY})
"""Contacts that were refused for these are looked at again when something changes by which the reason might; those refused for
others stay so until a user starts them again."""


@frozen(kw_only=True)
class Block:
    """Why a number is not called: a word, a sentence, and until when, None for ever or until somebody changes it."""

    reason: BlockReason
    text: str
    until: datetime | None = None


@noun("do-not-call list", table="do_not_call_list")
@frozen(kw_only=True)
class DoNotCallList:
    """A list of numbers that are not called: by nobody, by no campaign of a user, or not by one campaign. A list of a campaign
    has the campaign's user."""

    id: int = key()
    name: str = setting(shortest=1, doc="its name, unique among its user's, or among those that hold for everybody")
    description: str = setting("", longest=2000, doc="for people")
    user_id: int | None = reference(
        "user", reverse="do_not_call_lists", default=None, doc="the user whose campaigns obey it; null: everybody's"
    )
    campaign_id: int | None = reference(
        "campaign", reverse="do_not_call_lists", default=None, doc="the only campaign that obeys it; null: all of the user's"
    )
    created_at: datetime = stamp("when it was created")
    added_by: str = setting("", read_only=True, doc="who created it")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its entries stay, and do not hold")
    removed_by: str = setting("", read_only=True, doc="who removed it")


@noun("do-not-call entry", table="do_not_call")
@frozen(kw_only=True)
class DoNotCallEntry:
    """A number on a list. What is changed of it is another entry."""

    id: int = key()
    list_id: int = reference(
        "do-not-call list", reverse="entries", default=0, read_only=True, doc="the list that it stands on"
    )
    number: str = setting(longest=64, shortest=1, doc="the number, in any spelling; a list has it once at a time")
    identity: str = setting("", longest=64, read_only=True, doc="its canonical digits, by which it is compared")
    reason: str = setting("", doc="why it is not called, for people")
    source: str = setting("", doc="where that is known from, such as a letter or a register")
    expires_at: datetime | None = setting(None, doc="it holds until then; null: for ever")
    created_at: datetime = stamp("since when it is on the list")
    added_by: str = setting("", read_only=True, doc="who put it there")
    removed_at: datetime | None = setting(None, read_only=True, doc="when it was taken off, or another entry took its place")
    removed_by: str = setting("", read_only=True, doc="who took it off")
