"""Marks on the switch: whether it ever executed an originate, and made a channel for it.

A dialer that died, or lost its connection, may not know whether an originate that it had written was executed. So the line
itself leaves a mark: one of its variables is `${hash(insert/dialer-sent/UUID/2)}`, which `expand` executes once, before the
call is dialled; `0` when the switch got to the line after its deadline, and refused to dial. A job that was never executed
leaves none. When there is a channel, FreeSWITCH turns the mark into `1`, before that channel's thread is started, which sends
the INVITE (`api_on_originate`, switch_ivr_originate.c). So a mark that stays `2` tells of a call that FreeSWITCH itself
refused: its gateway is down or not there, or the switch is full. Lines for other endpoints than mod_sofia's have `1` at once,
and so had those of earlier versions for all.

The hash (mod_hash) is memory of the FreeSWITCH process. Since when it has been there is a mark of its own (`since`, by the
switch's clock): a missing mark tells something of those calls only that were planned after that.

`${` gets into a line here and in `commands.originate` alone: whatever others enter is refused by `quoting` when there is a
`$` in it. The first mark's variable holds hash's own answer, `+OK`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from dialer.esl import quoting
from dialer.esl.commands import DIALLED_MARK, EXECUTED_MARK, LATE_MARK, MARK_REALM, Command, api
from dialer.esl.connection import CommandReply
from dialer.model import Execution

SINCE: Final = "since"
"""No call's UUID: those have hyphens."""

AT_ONCE: Final = 25
"""Marks that one command removes: a line of two kilobytes."""
WAIT: Final = 1.0
"""Seconds that a mark's removal waits for company."""
MOST_WAITING: Final = 10_000
"""Removals that wait while the switch is away. Marks beyond stay on it, some hundred bytes each, until it is restarted."""


def remember_since() -> Command:
    """Note the moment from which on marks are kept, unless that is known."""
    line = f"api expand hash insert_ifempty/{MARK_REALM}/{SINCE}/${{strmicroepoch()}}"
    return Command("api hash", line.encode() + b"\n\n")


def mark_of(call_uuid: str) -> Command:
    """The mark of a call."""
    return api("hash", f"select/{MARK_REALM}/{quoting.call_uuid('call_uuid', call_uuid)}")


def since() -> Command:
    """The moment from which on marks are kept, in microseconds since 1970."""
    return api("hash", f"select/{MARK_REALM}/{SINCE}")


def remove(call_uuids: Sequence[str]) -> Command:
    """Remove the marks of these calls."""
    names = [quoting.call_uuid("call_uuid", each) for each in call_uuids]
    line = "api expand echo " + "".join(f"${{hash(delete/{MARK_REALM}/{name})}}" for name in names)
    return Command("api hash", line.encode() + b"\n\n")


_TOLD: Final = {
    LATE_MARK: Execution.NEVER,
    EXECUTED_MARK: Execution.NO_CHANNEL,
    DIALLED_MARK: Execution.DIALLED,
}


def execution(mark: CommandReply, kept_since: CommandReply, planned_at: datetime) -> Execution:
    """What became of the originate of a call that was planned then, by the switch's clock. `mark` was asked for first: a hash
    that was emptied in between has no older `since` any more."""
    if mark.text in _TOLD:
        return _TOLD[mark.text]
    if not mark.failed or not kept_since.text.isdigit():
        return Execution.UNTOLD
    began = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(kept_since.text))
    return Execution.NEVER if began < planned_at else Execution.UNTOLD


class MarkRemover:
    """Removes the marks of calls whose ends are stored, many with one command. `send` gives a command to the switch, and may
    fail: what was to be removed then stays there."""

    def __init__(self, clock: IReactorTime, send: Callable[[Command], Deferred[CommandReply]]) -> None:
        self._clock = clock
        self._send = send
        self._waiting: list[str] = []
        self._timer: IDelayedCall | None = None
        self._open = False

    def add(self, call_uuid: str) -> None:
        """The mark of this call is not needed any more."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(call_uuid)
        if self._open and len(self._waiting) >= AT_ONCE:
            self._remove()
        elif self._open and self._timer is None:
            self._timer = self._clock.callLater(WAIT, self._remove)

    def opened(self) -> None:
        """Commands reach the switch from now on."""
        self._open = True
        if self._waiting and self._timer is None:
            self._timer = self._clock.callLater(WAIT, self._remove)

    def closed(self) -> None:
        """The switch is away."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _remove(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        if self._waiting:
            self._timer = self._clock.callLater(0, self._remove)
        self._send(remove(some)).addErrback(lambda _: None)
