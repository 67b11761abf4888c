"""The log of the called side: every INVITE, whether it rang, was answered, how it ended. Tests compare the dialer with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attrs import Factory, define

from dialer.safe_paths import open_to_append


@define(eq=False)
class CalledSide:
    """One INVITE as the far end saw it. Times are seconds since 1970 by the switch's clock; `ended_by` is callee or switch."""

    call_uuid: str
    number: str
    callee: str
    account_code: str
    invited_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    cause: str = ""
    ended_by: str = ""
    caller: str = ""
    """The number that was shown as the caller's."""

    @property
    def rang(self) -> bool:
        """Whether somebody's phone rang: the INVITE was answered 18x or 200."""
        return self.rang_at is not None or self.answered_at is not None


@define(eq=False)
class Oracle:
    """The log of all INVITEs, in order; with `path`, each change is also a JSON line in that file.

    A line has `at`, `what` (invited, rang, answered, ended), `uuid`, `number`, `callee`, `caller` (the number shown) at the
    beginning, and `cause` and `by` at the end.
    A call that the switch refused is a line with `at`, `what` (refused), `uuid` ("" when it could not be read) and `cause`.
    """

    calls: list[CalledSide] = Factory(list)
    path: Path | None = None
    live: int = 0
    most_live: int = 0
    originates: Counter[int] = Factory(Counter)
    refused: Counter[str] = Factory(Counter)

    def originated(self, now: float) -> None:
        """The switch was asked for a call, whether or not it made one."""
        self.originates[int(now)] += 1

    def refused_by_switch(self, call_uuid: str, now: float, cause: str) -> None:
        """The switch refused a call before any INVITE."""
        self.refused[cause] += 1
        self._append({"at": round(now, 6), "what": "refused", "uuid": call_uuid, "cause": cause})

    def invited(self, call: CalledSide) -> None:
        """An INVITE arrived."""
        self.calls.append(call)
        self.live += 1
        self.most_live = max(self.most_live, self.live)
        self._write("invited", call, call.invited_at, caller=call.caller)

    def rang(self, call: CalledSide, now: float) -> None:
        """The far end said 18x."""
        call.rang_at = now
        self._write("rang", call, now)

    def answered(self, call: CalledSide, now: float) -> None:
        """The far end said 200."""
        call.answered_at = now
        self._write("answered", call, now)

    def ended(self, call: CalledSide, now: float, cause: str, by: str) -> None:
        """The call is over."""
        if call.ended_at is None:
            call.ended_at, call.cause, call.ended_by = now, cause, by
            self.live -= 1
            self._write("ended", call, now, cause=cause, by=by)

    def rings(self, call_uuid: str) -> int:
        """How many INVITEs with that call UUID rang somewhere: more than 1 breaks the dialer's promise."""
        return sum(1 for call in self.calls if call.call_uuid == call_uuid and call.rang)

    def rings_by_uuid(self) -> Counter[str]:
        """The same for every call UUID."""
        return Counter(call.call_uuid for call in self.calls if call.rang)

    def by_number(self, number: str) -> list[CalledSide]:
        """All calls to a number, in order."""
        return [call for call in self.calls if call.number == number]

    def answered_calls(self) -> Iterator[CalledSide]:
        """The calls that were answered."""
        return (call for call in self.calls if call.answered_at is not None)

    def invites_per_second(self) -> Counter[int]:
        """INVITEs by clock second."""
        return Counter(int(call.invited_at) for call in self.calls)

    def _write(self, what: str, call: CalledSide, now: float, **more: str) -> None:
        line = {"at": round(now, 6), "what": what, "uuid": call.call_uuid, "number": call.number, "callee": call.callee}
        self._append(line | more)

    def _append(self, line: dict[str, object]) -> None:
        if self.path is not None:
            with open_to_append(self.path) as file:
                file.write(json.dumps(line).encode() + b"\n")
