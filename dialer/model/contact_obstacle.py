"""What keeps a contact from being called now."""

from __future__ import annotations

import enum
from datetime import datetime

from attrs import frozen


class ContactCode(enum.StrEnum):
    """A stable word for each reason that lies with the contact, or with its place in the campaign."""

    NOT_IN_CAMPAIGN = "not-in-campaign"
    EMERGENCY = "emergency"
    DO_NOT_CALL = "do-not-call"
    BLACKLIST = "blacklist"
    WHITELIST = "whitelist"
    CONSENT = "consent"
    DIALLED_FORM = "dialled-form"
    NO_GATEWAY = "no-gateway"
    CALLING_RULES = "calling-rules"
    CALLED_ELSEWHERE = "called-elsewhere"
    IN_PROCESS = "in-process"
    PAUSED = "paused"
    ABORTED = "aborted"
    FAILED = "failed"
    COMPLETE = "complete"
    NOT_AUTHORISED = "not-authorised"
    DUE_LATER = "due-later"
    BEHIND_OTHERS = "behind-others"
    CAMPAIGN = "campaign"


@frozen
class ContactObstacle:
    """A reason, by itself: a code, a sentence, and until when, where that is known. Of `CAMPAIGN`, `campaign_code` is that of
    the reason for which the campaign is not calling."""

    code: ContactCode
    text: str
    until: datetime | None = None
    campaign_code: str = ""
