"""Settings of what others are told, and of how long it is kept."""

from __future__ import annotations

from attrs import frozen

from dialer.settings.declaration import setting
from dialer.settings.networks import Network, networks


@frozen(kw_only=True)
class WebhookSettings:
    """The receivers of events that users choose (`dialer webhook`)."""

    allow: tuple[Network, ...] = setting(
        (),
        "the networks beside the public addresses that the dialer may connect to, with http, too, such as "
        '["10.20.0.0/16"]; whatever listens there can be posted to by every user',
        given=tuple[str, ...],
        converter=networks("webhooks.allow"),
        max_length=200,
    )
    http: bool = setting(False, "true: http:// is taken for public addresses, too: everybody on the way can read the events")
    requests: int = setting(
        256,
        "requests at the same time, beside one for each webhook",
        unit="requests",
        ge=1,
        le=10_000,
    )


@frozen(kw_only=True)
class EventsSettings:
    """Events of what happens, for other systems."""

    keep: float = setting(
        7.0,
        "how long an event is kept at least; one that a reader still waits for stays longer",
        unit="days",
        gt=0,
        le=3650,
    )


@frozen(kw_only=True)
class ImportsSettings:
    """Files of contacts that are uploaded (POST /api/v2/imports)."""

    folder: str = setting(
        "imports",
        "where they are while they are taken; a relative path counts from this file's folder",
        min_length=1,
    )
    keep: float = setting(
        30.0, "how long an import is told of after its end, with the rows that were refused", unit="days", gt=0, le=3650
    )


FIVE_YEARS = 1826
"""Days for which the Telemarketing Sales Rule of the United States has the records of calls kept (16 CFR 310.5)."""


@frozen(kw_only=True)
class RecordsSettings:
    """The records of calls."""

    keep: int = setting(
        FIVE_YEARS,
        "how long the record of a call is kept after its end; the default are the five years that the Telemarketing Sales "
        "Rule of the United States demands (16 CFR 310.5)",
        unit="days",
        ge=31,
        le=36_500,
    )
