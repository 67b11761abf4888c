"""A webhook: an address that is told what happened; and the requests that were made to it."""

from __future__ import annotations

import enum
import re
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.errors import BadValue
from dialer.kinds import LARGEST_ID, Nullable, Text, Whole
from dialer.model.event import PATTERNS, EventKind, Told, kinds_of

LONGEST_URL: Final = 2000
MOST_EVENTS_A_REQUEST: Final = 100
MOST_WEBHOOKS: Final = 20
"""Of one user."""

LOWEST_FREE_PORT: Final = 1024
"""Below it, servers of other protocols listen, which must not be talked to in the dialer's name."""
WEB_PORTS: Final = frozenset({80, 443})

_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


class WebhookStatus(enum.StrEnum):
    """Whether it is told."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryStatus(enum.StrEnum):
    """What became of a request: it waits for its next try, it arrived, it is tried no more."""

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"


def parse_url(text: str, field: str = "url") -> str:
    """The address of a receiver, as it is entered. Whether the dialer may connect to it is told by the configuration and at
    each connection. Raises `BadValue`."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise BadValue(
            field, "may hold printable ASCII characters without blanks only: write other ones as %XX, names as xn--"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadValue(field, "is no URL; expected such as https://crm.example.com/dialer") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadValue(field, "expected an absolute URL that begins with https:// or http://")
    if "@" in parts.netloc:
        raise BadValue(field, "may hold no user and no password: use the signature to know who sends")
    if "#" in text:
        raise BadValue(field, "may hold no fragment (#), which is never sent")
    _check_host(parts.hostname, parts.netloc, field)
    if parts.netloc.endswith(":") or (port is not None and port not in WEB_PORTS and port < LOWEST_FREE_PORT):
        raise BadValue(field, f"expected a port of 80, 443, or from {LOWEST_FREE_PORT} to 65535")
    return text


def _check_host(host: str, netloc: str, field: str) -> None:
    if netloc.startswith("["):
        return  # urlsplit has refused what is no IPv6 address
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadValue(field, f"{host[:80]!r} is no host name")
    if _NUMERIC.fullmatch(labels[-1]) and not _is_address(host):
        raise BadValue(field, f"{host[:80]!r} is no IPv4 address; expected four numbers from 0 to 255 without leading zeros")


def _is_address(host: str) -> bool:
    return bool(_ADDRESS.fullmatch(host)) and all(int(part) < 256 and str(int(part)) == part for part in host.split("."))


class WebhookKinds(Text):
    """Kinds of events and patterns, with blanks between; a list of them in JSON."""

    words: Final = (*PATTERNS, *EventKind)


def _kinds(text: str, field: str) -> str:
    """Kinds and patterns, in the order in which they were entered. Raises `BadValue`."""
    if not kinds_of(text):
        raise BadValue(field, "expected kinds of events, such as attempt.ended or contact.*, with blanks between; * for all")
    return " ".join(dict.fromkeys(text.replace(",", " ").split()))


@noun("webhook")
@frozen(kw_only=True)
class Webhook:
    """An address that is told of events. `position` is the id of the last event that was sent, or of which a delivery is
    stored; after a rotation, `old_secret` signs, too, until `old_secret_until`."""

    id: int = key()
    user_id: int = reference("user", reverse="webhooks", doc="whose events it is told")
    url: str = setting(shortest=1, longest=LONGEST_URL, check=parse_url, doc="where events are posted to")
    kinds: str = setting(
        kind=WebhookKinds(2000, 1), check=_kinds, doc="of events, with blanks between: attempt.ended contact.*, or * for all"
    )
    campaign_id: int | None = setting(
        None, kind=Nullable(Whole(1, LARGEST_ID)), doc="the id of the campaign whose events alone are sent"
    )
    batch_size: int = setting(
        1,
        ge=1,
        le=MOST_EVENTS_A_REQUEST,
        doc="the most events in a request; with more than 1, each holds a list",
        unit="events",
    )
    secret: str = setting("", secret=True, read_only=True, doc="signs; whsec_ and base64")
    old_secret: str = setting("", secret=True, read_only=True, doc="signs, too, after a rotation")
    old_secret_until: datetime | None = setting(None, read_only=True, doc="until then")
    status: WebhookStatus = setting(WebhookStatus.ACTIVE, read_only=True, doc="whether it is told")
    reason: str = setting("", read_only=True, doc="why it is disabled")
    position: int = setting(0, read_only=True, doc="the last event that was sent or set aside")
    failing_since: datetime | None = setting(None, read_only=True, doc="nothing has arrived since")
    created_at: datetime = stamp("when it was added")

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """Those that sign at a moment, the newest first."""
        old = self.old_secret_until is not None and now < self.old_secret_until
        return (self.secret, self.old_secret) if old else (self.secret,)


@noun("webhook delivery")
@frozen(kw_only=True)
class WebhookDelivery:
    """A request to a webhook, made or to be made. It names what it is about without referring to it, and outlives it for a
    while. One that waits and has no `next_try_at` waits behind an earlier one of its attempt."""

    id: int = key()
    webhook_id: int = setting(ge=1, doc="to which webhook")
    events: str = setting(kind=None, longest=10_000, doc="the ids of its events, a JSON list")
    attempts: str = setting("", longest=10_000, doc="the call UUIDs that they are about, with blanks between")
    status: DeliveryStatus = setting(doc="what became of it")
    tries: int = setting(0, doc="requests that were made")
    next_try_at: datetime | None = setting(None, doc="when it is made again")
    http_status: int | None = setting(None, doc="the last answer")
    milliseconds: int | None = setting(None, doc="that the last one took")
    error: str = setting("", longest=200, doc="why the last one was no success")
    created_at: datetime = stamp("when it was made for the first time, or set aside")
    updated_at: datetime = stamp("when anything became of it")

    @property
    def keys(self) -> frozenset[str]:
        """The calls whose events have to stay in order."""
        return frozenset(self.attempts.split())


@frozen(kw_only=True)
class ServedWebhook:
    """An active webhook, as the node that serves it sees it: whether its owner is a superuser, and how many of its deliveries
    are due."""

    webhook: Webhook
    superuser: bool
    due: int = 0

    def wants(self, told: Told, kinds: frozenset[EventKind]) -> bool:
        """Whether it is told of an event; `kinds` are those that it asks for."""
        if self.webhook.campaign_id is not None and told.event.campaign_id != self.webhook.campaign_id:
            return False
        return told.event.kind in kinds and self.may_see(told)

    def may_see(self, told: Told) -> bool:
        """Whether its owner may see an event."""
        return told.may_be_seen_by(self.webhook.user_id, superuser=self.superuser)


@frozen(kw_only=True)
class Settlement:
    """What became of requests to a webhook, to be stored at once. `position` is that which it has reached; deliveries without
    an id are new. With `disabled`, a reason, it is told no more."""

    webhook_id: int
    position: int
    deliveries: tuple[WebhookDelivery, ...] = ()
    failing_since: datetime | None = None
    disabled: str = ""
