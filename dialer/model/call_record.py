"""An attempt as it is stored: the record of a call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import Factory, frozen

from dialer.declare import key, noun, reference, setting
from dialer.kinds import Variables
from dialer.model.flow import AttemptState, Disposition


@noun("attempt")
@frozen(kw_only=True)
class CallRecord:
    """A row of the attempts. The fields of its end are None while it is open. `owner` is the node that it belongs to, `epoch`
    counts the owners; `pending_cdr` is the end that a call detail record told while the attempt was another node's."""

    id: int = key()
    call_uuid: str = setting(doc="the id of its channel, and of the job that originates it")
    campaign_id: int = reference("campaign", reverse="attempts", doc="the campaign")
    subscriber_id: int = reference("subscriber", reverse="attempts", doc="the subscriber that it is for")
    gateway_id: int = reference("gateway", reverse="attempts", doc="the gateway through which it went")
    second_gateway_id: int | None = reference(
        "gateway", default=None, reverse="second_legs", doc="the gateway of its second leg, while that lasts"
    )
    number: str = setting(doc="the subscriber's number")
    identity: str = setting("", longest=64, doc="the number's identity")
    dial_string: str = setting(doc="the address that was dialled")
    number_of_attempt: int = setting(ge=1, doc="1 for the first that counts")
    state: AttemptState = setting(doc="where it is")
    owner: str = setting(doc="the node")
    epoch: int = setting(1, doc="grows with each owner")
    core_uuid: str = setting("", doc="the FreeSWITCH process that has the call")
    caller_id: str = setting("", doc="the number that was shown as the caller's")
    caller_name: str = setting("", doc="the name that was shown as the caller's")
    planned_at: datetime = setting(doc="when it was begun")
    due_at: datetime = setting(doc="when it was to be sent")
    deadline: datetime = setting(doc="the switch refuses it after")
    moved_at: datetime | None = setting(None, doc="when its state last changed")
    sent_at: datetime | None = setting(None, doc="when the switch took the request for it")
    rang_at: datetime | None = setting(None, doc="when it began to ring")
    answered_at: datetime | None = setting(None, doc="when it was answered")
    ended_at: datetime | None = setting(None, doc="when it ended")
    cause: str | None = setting(None, doc="FreeSWITCH's word for the end, or the dialer's own")
    disposition: Disposition | None = setting(None, doc="why it ended, in business words")
    counts_as_attempt: bool | None = setting(None, doc="whether it is one of the contact's attempts")
    reason: str | None = setting(None, doc="what was decided of the contact, and why")
    q850: int | None = setting(None, doc="the cause by ITU-T Q.850")
    sip_status: int | None = setting(None, doc="the final SIP status")
    sip_disposition: str | None = setting(None, doc="FreeSWITCH's word for who ended it")
    ring_ms: int | None = setting(None, unit="ms", doc="how long it rang")
    talk_ms: int | None = setting(None, unit="ms", doc="from the answer to the end")
    duration_ms: int | None = setting(None, unit="ms", doc="from the originate to the end")
    machine: bool | None = setting(None, doc="whether a machine answered")
    session: Mapping[str, str] = setting(Factory(dict), kind=Variables(), doc="what the voice application noted")
    pending_cdr: str | None = setting(None, doc="an end told to another node")
    switch: str = setting("", doc="the FreeSWITCH that makes it, by its name; empty for what was ended by an older version")
    pooled_caller_id: int | None = reference(
        "caller id", default=None, reverse="attempts", doc="the number of a pool that was shown as the caller's"
    )
    caller_day: str | None = setting(None, longest=10, doc="the day of the pool for which it counts")

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.ended_at is not None
