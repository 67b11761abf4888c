"""The moves that wait to be written: the last one of each attempt is enough, with the moments of ringing and answer."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from dialer.model import Attempt, AttemptState, EventKind
from dialer.store import statements
from dialer.store.connection import Connection
from dialer.store.events import add_moves
from dialer.store.mapping import as_text
from dialer.store.times import to_column

MoveRow = tuple[str, str, str | None, str | None, str | None, str | None, int]
"""State, moved at, core UUID, rang at, answered at, sent at, attempt: the parameters of `statements.MOVE` but the owner."""

_TOLD = frozenset({EventKind.ATTEMPT_RINGING, EventKind.ATTEMPT_ANSWERED})

_NOTHING: MoveRow = ("", "", None, None, None, None, 0)


@define(eq=False)
class MoveBuffer:
    """Collects moves on the reactor thread."""

    _rows: dict[int, MoveRow] = field(factory=dict, init=False)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def __contains__(self, attempt_id: int) -> bool:
        return attempt_id in self._rows

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

    def take(self) -> dict[int, MoveRow]:
        """All that is there; the buffer is empty then."""
        rows, self._rows = self._rows, {}
        return rows

    def put_back(self, rows: dict[int, MoveRow]) -> None:
        """Moves that could not be written wait again, before those that came since."""
        newer = self._rows
        self._rows = dict(rows)
        for attempt_id, (state, moved_at, core, rang_at, answered_at, sent_at, _) in newer.items():
            _, _, old_core, old_rang, old_answered, old_sent, _ = rows.get(attempt_id, _NOTHING)
            moments = (old_rang or rang_at, old_answered or answered_at, old_sent or sent_at)
            self._rows[attempt_id] = (state, moved_at, core or old_core, *moments, attempt_id)


def write_moves(connection: Connection, rows: dict[int, MoveRow], owner: str, wanted: frozenset[EventKind]) -> None:
    """Write them, with those of the `wanted` events that they are; an attempt that has ended, or has another owner by now,
    stays as it is."""
    if wanted & _TOLD:
        add_moves(connection, wanted, [(row[6], row[3], row[4]) for row in rows.values()], owner)
    connection.executemany(statements.MOVE, [(*row, owner) for row in rows.values()])
