from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from dialer.model import AttemptState
from dialer.store.moves import MoveBuffer
from tests.unit.store.support import NOW

MOVES = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([AttemptState.SUBMITTED, AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.UNCONFIRMED]),
        st.integers(0, 9),
        st.sampled_from(["", "core-1", "core-2"]),
    ),
    max_size=12,
)


def note(buffer: MoveBuffer, moves) -> None:
    for attempt_id, to, seconds, core in moves:
        buffer.add(SimpleNamespace(id=attempt_id), to, NOW + timedelta(seconds=seconds), core)
        buffer.press(SimpleNamespace(id=attempt_id), str(seconds), NOW + timedelta(seconds=seconds))


@given(MOVES, st.integers(0, 12))
def test_moves_that_had_to_wait_again_come_out_as_if_they_had_never_been_taken(moves, taken):
    once, twice = MoveBuffer(), MoveBuffer()
    note(once, moves)
    note(twice, moves[:taken])
    rows = twice.take()
    note(twice, moves[taken:])
    twice.put_back(rows)
    assert twice.take() == once.take()


@given(MOVES)
def test_an_attempt_waits_with_its_last_state(moves):
    buffer = MoveBuffer()
    note(buffer, moves)
    assert {attempt_id: row[0] for attempt_id, row in buffer.take().rows.items()} == {move[0]: str(move[1]) for move in moves}
    assert not buffer
