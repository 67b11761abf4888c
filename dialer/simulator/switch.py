"""The simulated switch itself: its channels, limits, identity, and the end of calls."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import Factory, define, field
from twisted.internet.interfaces import IDelayedCall

from dialer.simulator.bus import EventBus
from dialer.simulator.causes import q850
from dialer.simulator.channel import CANCELLED, LOCAL, Channel, Room, Start
from dialer.simulator.clock import SwitchClock, duration, stamp
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.expansion import expand
from dialer.simulator.oracle import CalledSide, Oracle
from dialer.simulator.templates import Slots

OUT_OF_ORDER = "DESTINATION_OUT_OF_ORDER"
UNSET = "0"
PHRASES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    486: "Busy Here",
    487: "CANCEL",
    488: "Not Acceptable Here",
    503: "Service Unavailable",
    603: "Decline",
}


class Ender(Protocol):
    """A call that does something of its own when it ends."""

    def ended(self, channel: Channel) -> None:
        """The channel was hung up; its last events have not been sent yet."""
        ...


@define(eq=False)
class SimulatedSwitch:
    """One running FreeSWITCH: everything that dies with its process."""

    config: SimulatorConfig
    clock: SwitchClock
    rng: random.Random
    new_uuid: Callable[[], str]
    bus: EventBus
    oracle: Oracle
    sps: int
    max_sessions: int
    applications: Mapping[str, Start]
    api: Callable[[str, str], str]
    globals: dict[str, str] = Factory(dict)
    channels: dict[str, Channel] = Factory(dict)
    rooms: dict[str, Room] = Factory(dict)
    hash: dict[str, str] = Factory(dict)
    paused: bool = False
    sessions: int = 0
    peak: int = 0
    peak_sps: int = 0
    last_sps: int = 0
    started: float = field(init=False)
    seen: dict[str, CalledSide] = Factory(dict)
    _enders: dict[str, Ender] = Factory(dict)
    _gone: deque[tuple[float, Channel]] = Factory(deque)
    _second: int = -1
    _left: int = 0
    _taken: int = 0
    _heartbeat: IDelayedCall | None = None

    def __attrs_post_init__(self) -> None:
        self.started = self.clock.now()
        self.globals |= {"core_uuid": self.bus.core_uuid, "hostname": "fs", "local_ip_v4": "192.0.2.2"}

    # --- limits -----------------------------------------------------------------------------------------------------------

    def admit(self) -> bool:
        """Whether one more session may begin now. Of `sps` per second, FreeSWITCH lets through one less; a new limit counts
        from the next second on (switch_core_session_request_uuid). Here a second begins with the clock's, there by itself."""
        if self.paused:
            return False
        second = int(self.clock.now())
        if second != self._second:
            self.last_sps = self._taken if second == self._second + 1 else 0
            self._second, self._left, self._taken = second, self.sps, 0
        self._left -= 1
        if self.sps and self._left <= 0:
            return False
        if self.max_sessions and len(self.channels) + 1 > self.max_sessions:
            return False
        self._taken += 1
        self.peak_sps = max(self.peak_sps, self._taken)
        return True

    def enter(self, channel: Channel, ender: Ender | None = None) -> None:
        """The channel exists from now on."""
        self.sessions += 1
        channel.session_id = self.sessions
        channel.created = self.clock.micros()
        channel.slots.put_safe({"session_id": str(self.sessions)})
        self.channels[channel.uuid] = channel
        if ender is not None:
            self._enders[channel.uuid] = ender
        self.peak = max(self.peak, len(self.channels))

    def listed(self) -> list[Channel]:
        """The channels of `show channels`: FreeSWITCH keeps it in a database, which lags behind."""
        while self._gone and self._gone[0][0] <= self.clock.now():
            self._gone.popleft()
        return [*self.channels.values(), *(channel for _, channel in self._gone)]

    # --- the life of a channel ----------------------------------------------------------------------------------------

    def answer(self, channel: Channel) -> None:
        """The channel is answered from now on; it can run applications."""
        channel.answered = self.clock.micros()
        channel.answer_state = "answered"

    def hang_up(self, channel: Channel, cause: str, ending: str = "", sip_status: int = 0, by: str = "switch") -> None:
        """End a call. `ending` names the templates of its last events; it is worked out when the switch ends the call."""
        if not channel.alive:
            return
        channel.cause = cause
        channel.ending = ending or (LOCAL if channel.answered else CANCELLED)
        channel.answer_state = "hangup"
        channel.cancel_timers()
        if not sip_status:
            sip_status = 200 if channel.answered else 487
        seen = self.seen.pop(channel.uuid, None)
        if seen is not None:
            self.oracle.ended(seen, self.clock.now(), cause, by)
        _put_cause(channel, sip_status)
        channel.emit("CHANNEL_HANGUP")
        channel.runner.hung_up()
        ender = self._enders.pop(channel.uuid, None)
        # The result of a failed originate may come before or after the channel's last events (facts, originate).
        job_first = self.rng.random() < 0.5
        if ender is not None and job_first:
            ender.ended(channel)
        channel.emit_state("CS_HANGUP")
        channel.hungup = self.clock.micros()
        _put_end(channel)
        channel.emit_callstate("HANGUP")
        channel.emit_state("CS_REPORTING")
        channel.emit("CHANNEL_HANGUP_COMPLETE")
        self.channels.pop(channel.uuid, None)
        if self.config.list_lag:
            self._gone.append((self.clock.now() + self.config.list_lag, channel))
        for tell in channel.when_hung_up:
            tell()
        channel.destroy()
        if ender is not None and not job_first:
            ender.ended(channel)

    def type_digits(self, channel: Channel, digits: str) -> None:
        """The callee presses keys."""
        for digit in digits:
            if not channel.alive:
                return
            channel.slots.put_group("*application", {"DTMF-Digit": digit, "DTMF-Duration": "2000", "DTMF-Source": "RTP"})
            channel.emit("DTMF")
            if not channel.runner.typed(digit):
                channel.digits += digit

    def expanded(self, text: str, channel: Channel | None = None) -> str:
        """The text with its `${...}` replaced, by the channel's variables first, then global ones; and without one level of
        backslashes."""
        if "$" not in text and "\\" not in text:
            return text

        def variable(name: str) -> str:
            value = channel.variable(name) if channel is not None else None
            return value if value is not None else self.globals.get(name, "")

        return expand(text, variable, self.api)

    # --- the switch as a whole ----------------------------------------------------------------------------------------

    def start_heartbeat(self) -> None:
        """HEARTBEAT every so many seconds."""
        if self.config.heartbeat > 0:
            self._heartbeat = self.clock.reactor.callLater(self.config.heartbeat, self._beat)

    def _beat(self) -> None:
        self.start_heartbeat()
        uptime = self.clock.now() - self.started
        slots = Slots.empty(self.bus.templates)
        slots.put_safe(
            {
                "uptime": duration(uptime),
                "uptime_ms": str(int(uptime * 1000)),
                "session_count": str(len(self.channels)),
                "max_sessions": str(self.max_sessions),
                "sps": str(self.sps),
                "sps_last": str(self.last_sps),
                "sps_max": str(self.peak_sps),
                "sessions": str(self.sessions),
                "peak": str(self.peak),
            }
        )
        self.bus.emit("HEARTBEAT", "core/HEARTBEAT", slots)

    def job_done(self, job_uuid: str, command: str, argument: str, output: str) -> None:
        """BACKGROUND_JOB: the result of a `bgapi`, for everybody who subscribed."""
        if not self.bus.subscribers("BACKGROUND_JOB"):
            self.bus.sequence += 1
            return
        slots = Slots.empty(self.bus.templates)
        for slot, value in (("job_uuid", job_uuid), ("job_command", command), ("job_arg", argument), ("body", output)):
            slots.put(slot, value)
        slots.put_safe({"body_length": str(len(output.encode("utf-8", "surrogateescape")))})
        self.bus.emit("BACKGROUND_JOB", "core/BACKGROUND_JOB", slots)

    def shut_down(self) -> None:
        """SHUTDOWN, then the end of every call, as a graceful stop does it."""
        slots = Slots.empty(self.bus.templates)
        self.bus.emit("SHUTDOWN", "core/SHUTDOWN", slots)
        for channel in list(self.channels.values()):
            self.hang_up(channel, "SYSTEM_SHUTDOWN")
        self.stop()

    def vanish(self) -> None:
        """The process is killed: every call ends for the called side, no event is sent."""
        for channel in list(self.channels.values()):
            channel.cancel_timers()
            seen = self.seen.pop(channel.uuid, None)
            if seen is not None:
                self.oracle.ended(seen, self.clock.now(), "", "switch")
            channel.cause = "CRASH"
        self.channels.clear()
        self._enders.clear()
        self.stop()

    def stop(self) -> None:
        """No more heartbeats."""
        if self._heartbeat is not None and self._heartbeat.active():
            self._heartbeat.cancel()
        self.paused = True


def _put_cause(channel: Channel, sip_status: int) -> None:
    """Why the call ended."""
    phrase = PHRASES.get(sip_status, "")
    channel.slots.put_safe(
        {"cause": channel.cause, "q850": str(q850(channel.cause)), "sip_status": str(sip_status), "sip_phrase": phrase}
    )


def _put_end(channel: Channel) -> None:
    """The figures of the call detail record."""
    slots = channel.slots
    values: dict[str, str] = {}
    for slot, micros in (
        ("created", channel.created),
        ("answered", channel.answered),
        ("progress", channel.progress),
        ("media", channel.media),
        ("hangup", channel.hungup),
    ):
        slots.put(f"{slot}_stamp", stamp(micros) if micros else "")
        values[f"{slot}_s"] = str(micros // 1_000_000)
    for slot, begin, end in (
        ("total", channel.created, channel.hungup),
        ("flow", channel.created if channel.answered else 0, channel.hungup),
        ("bill", channel.answered, channel.hungup),
        ("ring", channel.created, channel.progress),
        ("mediawait", channel.created, channel.media),
        ("wait", channel.created, channel.answered),
    ):
        values |= _durations(slot, begin, end)
    slots.put_safe(values)
    slots.put_group("*last_app", channel.runner.last_application())


def _durations(slot: str, begin: int, end: int) -> dict[str, str]:
    """Seconds (of whole clock seconds), milliseconds (rounded up as FreeSWITCH does) and microseconds between two moments."""
    if not begin or end < begin:
        return {f"{slot}_s": UNSET, f"{slot}_ms": UNSET, f"{slot}_us": UNSET}
    micros = end - begin
    return {
        f"{slot}_s": str(end // 1_000_000 - begin // 1_000_000),
        f"{slot}_ms": str((end + 500) // 1000 - (begin + 500) // 1000),
        f"{slot}_us": str(micros),
    }
