"""Objects of the API v2: webhooks.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict


class WebhookObject(TypedDict):
    """An address that is told what happens, without its secret."""

    id: int
    """its number, given by the database"""
    user_id: int
    """whose events it is told"""
    url: str
    """where events are posted to"""
    kinds: list[
        Literal["*", "attempt.*", "contact.*", "campaign.*", "import.*", "switch.*", "gateway.*", "hook.*", "webhook.*",
        "attempt.started", "attempt.ringing", "attempt.answered", "attempt.digits", "attempt.ended", "attempt.corrected",
        "contact.opted_out", "contact.completed", "contact.failed", "contact.blocked", "contact.held", "campaign.created",
        "campaign.started", "campaign.paused", "campaign.aborted", "campaign.ended", "campaign.finished", "campaign.idle",
        "import.finished", "switch.up", "switch.down", "gateway.up", "gateway.down", "hook.switched_off", "webhook.disabled",
        "webhook.test"],
    ]
    """of events, with blanks between: attempt.ended contact.*, or * for all"""
    campaign_id: int | None
    """the id of the campaign whose events alone are sent"""
    batch_size: int
    """the most events in a request; with more than 1, each holds a list (events)"""
    old_secret_until: str | None
    """until then"""
    status: Literal["active", "disabled"]
    """whether it is told"""
    reason: str
    """why it is disabled"""
    failing_since: str | None
    """nothing has arrived since"""
    created_at: str
    """when it was added"""


class NewWebhookObject(TypedDict):
    """What is sent."""

    url: str
    """where events are posted to"""
    kinds: Sequence[
        Literal["*", "attempt.*", "contact.*", "campaign.*", "import.*", "switch.*", "gateway.*", "hook.*", "webhook.*",
        "attempt.started", "attempt.ringing", "attempt.answered", "attempt.digits", "attempt.ended", "attempt.corrected",
        "contact.opted_out", "contact.completed", "contact.failed", "contact.blocked", "contact.held", "campaign.created",
        "campaign.started", "campaign.paused", "campaign.aborted", "campaign.ended", "campaign.finished", "campaign.idle",
        "import.finished", "switch.up", "switch.down", "gateway.up", "gateway.down", "hook.switched_off", "webhook.disabled",
        "webhook.test"],
    ]
    """of events, with blanks between: attempt.ended contact.*, or * for all"""
    campaign_id: NotRequired[int | None]
    """the id of the campaign whose events alone are sent"""
    batch_size: NotRequired[int]
    """the most events in a request; with more than 1, each holds a list (events)"""


class WebhookWithSecretObject(TypedDict):
    """A webhook with its secret, which is told once: it is null when the request comes again, and in no other answer."""

    id: int
    """its number, given by the database"""
    user_id: int
    """whose events it is told"""
    url: str
    """where events are posted to"""
    kinds: list[
        Literal["*", "attempt.*", "contact.*", "campaign.*", "import.*", "switch.*", "gateway.*", "hook.*", "webhook.*",
        "attempt.started", "attempt.ringing", "attempt.answered", "attempt.digits", "attempt.ended", "attempt.corrected",
        "contact.opted_out", "contact.completed", "contact.failed", "contact.blocked", "contact.held", "campaign.created",
        "campaign.started", "campaign.paused", "campaign.aborted", "campaign.ended", "campaign.finished", "campaign.idle",
        "import.finished", "switch.up", "switch.down", "gateway.up", "gateway.down", "hook.switched_off", "webhook.disabled",
        "webhook.test"],
    ]
    """of events, with blanks between: attempt.ended contact.*, or * for all"""
    campaign_id: int | None
    """the id of the campaign whose events alone are sent"""
    batch_size: int
    """the most events in a request; with more than 1, each holds a list (events)"""
    old_secret_until: str | None
    """until then"""
    status: Literal["active", "disabled"]
    """whether it is told"""
    reason: str
    """why it is disabled"""
    failing_since: str | None
    """nothing has arrived since"""
    created_at: str
    """when it was added"""
    secret: str | None
    """verifies signatures: whsec_ and base64"""


class ChangedWebhookObject(TypedDict, total=False):
    """What is sent."""

    url: str
    """where events are posted to"""
    kinds: Sequence[
        Literal["*", "attempt.*", "contact.*", "campaign.*", "import.*", "switch.*", "gateway.*", "hook.*", "webhook.*",
        "attempt.started", "attempt.ringing", "attempt.answered", "attempt.digits", "attempt.ended", "attempt.corrected",
        "contact.opted_out", "contact.completed", "contact.failed", "contact.blocked", "contact.held", "campaign.created",
        "campaign.started", "campaign.paused", "campaign.aborted", "campaign.ended", "campaign.finished", "campaign.idle",
        "import.finished", "switch.up", "switch.down", "gateway.up", "gateway.down", "hook.switched_off", "webhook.disabled",
        "webhook.test"],
    ]
    """of events, with blanks between: attempt.ended contact.*, or * for all"""
    campaign_id: int | None
    """the id of the campaign whose events alone are sent"""
    batch_size: int | None


class WebhookTestObject(TypedDict):
    """What came of a trial."""

    arrived: bool
    http_status: int | None
    """the receiver's answer; null when there was none"""
    milliseconds: int
    """that it took"""
    error: str
    """why it did not arrive"""


class NewWebhookReplayObject(TypedDict):
    """What is sent."""

    since: str
    """events that happened from then on"""
    until: NotRequired[str | None]
    """and before; until now when it is null"""


class WebhookReplayObject(TypedDict):
    """How many events are sent again."""

    events: int
    last: str | None
    """when the last of them happened, where there are more: the `since` of the next request"""


class WebhookDeliveryObject(TypedDict):
    """A request to a webhook, made or to be made."""

    id: int
    """its number, given by the database"""
    webhook_id: int
    """to which webhook"""
    status: Literal["due", "delivered", "dead"]
    """what became of it"""
    tries: int
    """requests that were made"""
    next_try_at: str | None
    """when it is made again"""
    http_status: int | None
    """the last answer"""
    milliseconds: int | None
    """that the last one took"""
    error: str
    """why the last one was no success"""
    created_at: str
    """when it was made for the first time, or set aside"""
    updated_at: str
    """when anything became of it"""
    events: list[str]
    """the ids of its events"""
    attempts: list[str]
    """the UUIDs of the calls that these are about"""
