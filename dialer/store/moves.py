"""The moves that wait to be written: the last one of each attempt is enough, with the moments of ringing and answer. And the
keys that callees pressed meanwhile, where somebody wants to hear of them."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field, frozen

from dialer.model import Attempt, AttemptState, EventKind
from dialer.store import statements
from dialer.store.connection import Connection
from dialer.store.events import add_moves, add_pressed
from dialer.store.mapping import as_text
from dialer.store.times import to_column

MoveRow = tuple[str, str, str | None, str | None, str | None, str | None, int]
"""State, moved at, core UUID, rang at, answered at, sent at, attempt: the parameters of `statements.MOVE` but the owner."""

_TOLD = frozenset({EventKind.ATTEMPT_RINGING, EventKind.ATTEMPT_ANSWERED})

_NOTHING: MoveRow = ("", "", None, None, None, None, 0)


@frozen
class Waiting:
    """What is to be written: moves by attempt, and the keys pressed by attempt, each with the moment of the last one."""

    rows: dict[int, MoveRow]
    pressed: dict[int, tuple[str, str]]


@define(eq=False)
class MoveBuffer:
    """Collects moves on the reactor thread."""

    _rows: dict[int, MoveRow] = field(factory=dict, init=False)
    _pressed: dict[int, tuple[str, str]] = field(factory=dict, init=False)

    def __bool__(self) -> bool:
        return bool(self._rows or self._pressed)

    def __contains__(self, attempt_id: int) -> bool:
        return attempt_id in self._rows or attempt_id in self._pressed

    def add(self, attempt: Attempt, to: AttemptState, at: datetime, core_uuid: str) -> None:
        """Note a move; what an earlier one knew of the call is kept."""
        _, _, core, rang_at, answered_at, sent_at, _ = self._rows.get(attempt.id, _NOTHING)
        moved_at = to_column(at)
        if to is AttemptState.SUBMITTED:
            sent_at = sent_at or moved_at
        elif to is AttemptState.RINGING:
            rang_at = rang_at or moved_at
        elif to in (AttemptState.ANSWERED, AttemptState.CONNECTED):
            answered_at = answered_at or moved_at
        core = as_text(core_uuid) or core
        self._rows[attempt.id] = (str(to), moved_at, core, rang_at, answered_at, sent_at, attempt.id)

    def press(self, attempt: Attempt, digits: str, at: datetime) -> None:
        """Note keys that the callee pressed."""
        before, _ = self._pressed.get(attempt.id, ("", ""))
        self._pressed[attempt.id] = (before + as_text(digits), to_column(at))

    def take(self) -> Waiting:
        """All that is there; the buffer is empty then."""
        waiting = Waiting(self._rows, self._pressed)
        self._rows, self._pressed = {}, {}
        return waiting

    def put_back(self, waiting: Waiting) -> None:
        """What could not be written waits again, before what came since."""
        rows, newer = waiting.rows, self._rows
        self._rows = dict(rows)
        for attempt_id, (state, moved_at, core, rang_at, answered_at, sent_at, _) in newer.items():
            _, _, old_core, old_rang, old_answered, old_sent, _ = rows.get(attempt_id, _NOTHING)
            moments = (old_rang or rang_at, old_answered or answered_at, old_sent or sent_at)
            self._rows[attempt_id] = (state, moved_at, core or old_core, *moments, attempt_id)
        pressed, self._pressed = self._pressed, dict(waiting.pressed)
        for attempt_id, (digits, at) in pressed.items():
            before, _ = self._pressed.get(attempt_id, ("", ""))
            self._pressed[attempt_id] = (before + digits, at)


def write_moves(connection: Connection, waiting: Waiting, owner: str, wanted: frozenset[EventKind]) -> None:
    """Write them, with those of the `wanted` events that they are; an attempt that has ended, or has another owner by now,
    stays as it is."""
    rows = waiting.rows
    if wanted & _TOLD:
        add_moves(connection, wanted, [(row[6], row[3], row[4]) for row in rows.values()], owner)
    add_pressed(connection, [(at, digits, attempt_id, owner) for attempt_id, (digits, at) in waiting.pressed.items()])
    connection.executemany(statements.MOVE, [(*row, owner) for row in rows.values()])
