"""Events on their way to the connections: an event that nobody subscribed to is never built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Protocol

from attrs import Factory, define, field

from dialer.simulator import wire
from dialer.simulator.clock import SwitchClock, dates
from dialer.simulator.templates import Slots, Template, Templates


def words(text: str) -> tuple[str, ...]:
    """The words of a table, in order: a static list of them would be a line each."""
    return tuple(text.split())


# The events that FreeSWITCH knows by name; `event` ignores other words (switch_name_event).
EVENT_NAMES = frozenset(
    words(
        """CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP
    CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE
    CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK
    CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH
    UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT
    PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
    PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE
    PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT
    CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT
    RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START
    MEDIA_BUG_STOP CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE TEXT
    SHUTDOWN_REQUESTED ALL"""
    )
)
# The events that `myevents` subscribes to (parse_command): CHANNEL_CALLSTATE is not among it.
MY_EVENTS = frozenset(
    words(
        """CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA CHANNEL_DESTROY CHANNEL_EXECUTE
    CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_ORIGINATE CHANNEL_UUID CHANNEL_OUTGOING
    CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK DETECTED_SPEECH
    DTMF NOTALK TALK"""
    )
)


class Receiver(Protocol):
    """A connection that takes events."""

    def deliver(self, frame: bytes) -> None:
        """Queue an event; it is sent when no command is pending."""
        ...


@define(eq=False)
class Subscription:
    """The events that one connection wants. `session` limits it to one call's events (`myevents`). `kind` is plain or json;
    xml can be asked for, but such events are not made here."""

    receiver: Receiver
    kind: str = "plain"
    names: set[str] = Factory(set)
    filters: list[tuple[str, str]] = Factory(list)
    session: str = ""
    placed: str = ""  # the call under which the bus keeps it, "" for every call's events

    @property
    def only_filter(self) -> str:
        """The call whose events a lone filter on Unique-ID lets through, "" for any other filters. Such a connection is
        spared the look at every other call's events: with a session for each call that would be quadratic."""
        if len(self.filters) == 1 and self.filters[0][0].lower() == "unique-id" and self.filters[0][1][:1] not in "+- /":
            return self.filters[0][1]
        return ""

    def wants(self, name: str) -> bool:
        """Whether it asked for events of that name."""
        return (name in self.names or "ALL" in self.names) and self.kind != "xml"


@define(eq=False)
class EventBus:
    """Hands every event to those who subscribed to it, rendered once per format."""

    clock: SwitchClock
    templates: Templates
    core_uuid: str
    sequence: int = 0
    _wide: list[Subscription] = field(factory=list, init=False)  # to the events of every call
    _narrow: dict[str, list[Subscription]] = field(factory=dict, init=False)  # to one call's, by its UUID
    _by_name: dict[str, list[Subscription]] = field(factory=dict, init=False)

    def changed(self, subscription: Subscription) -> None:
        """A subscription is new, or wants other events than before."""
        self.remove(subscription)
        subscription.placed = subscription.session or subscription.only_filter
        if subscription.placed:
            self._narrow.setdefault(subscription.placed, []).append(subscription)
        else:
            self._wide.append(subscription)
            self._by_name.clear()

    def remove(self, subscription: Subscription) -> None:
        """Forget a connection."""
        if subscription in self._wide:
            self._wide.remove(subscription)
            self._by_name.clear()
        one_call = self._narrow.get(subscription.placed)
        if one_call and subscription in one_call:
            one_call.remove(subscription)
            if not one_call:
                del self._narrow[subscription.placed]

    def awaited(self, name: str, session: str) -> bool:
        """Whether anybody may want such an event; cheap, as it is asked for every event of every call."""
        found = self._by_name.get(name)
        return bool(found) or session in self._narrow or (found is None and bool(self.subscribers(name)))

    def subscribers(self, name: str, session: str = "") -> list[Subscription]:
        """The connections that want events of that name, of that call."""
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = [s for s in self._wide if s.wants(name)]
        narrow = self._narrow.get(session)
        return found + [s for s in narrow if s.wants(name)] if narrow else found

    def emit(self, name: str, key: str, slots: Slots, session: str = "") -> None:
        """Something happened: tell the subscribers of `name`, with the template `key`."""
        self.sequence += 1
        subscribers = self.subscribers(name, session)
        if not subscribers:
            return
        template: Template | None = None
        frames: dict[str, bytes] = {}
        for subscription in subscribers:
            if template is None:
                template = self.templates[key]
                self.put_time(slots)
            unfiltered = not subscription.filters or subscription.only_filter == subscription.placed == session
            if not unfiltered and not passes(subscription.filters, json.loads(template.json(slots))):
                continue
            frame = frames.get(subscription.kind)
            if frame is None:
                body = template.json(slots) if subscription.kind == "json" else template.plain(slots)
                frame = frames[subscription.kind] = wire.event(subscription.kind, body)
            subscription.receiver.deliver(frame)

    def put_time(self, slots: Slots) -> None:
        """Fill in the beginning of every event."""
        micros = self.clock.micros()
        local, gmt = dates(micros // 1_000_000)
        slots.put_safe(
            {
                "core_uuid": self.core_uuid,
                "now": str(micros),
                "date_local": local,
                "date_gmt": gmt,
                "sequence": str(self.sequence),
            }
        )


def passes(filters: Iterable[tuple[str, str]], headers: dict[str, str]) -> bool:
    """Whether an event is let through: any filter that matches is enough, one that begins with `-` and matches forbids it; a
    header that the event does not have matches nothing (event_handler of mod_event_socket.c)."""
    lowered = {name.lower(): value for name, value in headers.items()}
    send = False
    for name, wanted in filters:
        value = lowered.get(name.lower())
        pattern = wanted.lstrip("+- ")
        positive = "-" not in wanted[: len(wanted) - len(pattern)]
        if value is None or (send and positive):
            continue
        if pattern.startswith("/"):
            matches = re.search(pattern.strip("/"), value) is not None
        else:
            matches = value.lower() == pattern.lower()
        if matches and not positive:
            return False
        send = send or matches
    return send
