"""The attempt machine: the table by example, and what holds for every row of it."""

from __future__ import annotations

from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls.machine import TABLE, ImpossibleSignal, diagram, next_state
from dialer.model import AttemptState as State
from dialer.model import SignalKind as Kind

DOCUMENT = Path(__file__).parents[3] / "docs" / "attempt-machine.md"
RANK = {
    State.PLANNED: 0,
    State.SUBMITTED: 1,
    State.RINGING: 2,
    State.ANSWERED: 3,
    State.CONNECTED: 4,
    State.ENDED: 5,
}
IMPOSSIBLE = {(state, Kind.REFUSED) for state in (State.SUBMITTED, State.RINGING, State.ANSWERED, State.CONNECTED)}
ENDING = {Kind.JOB_FAILED, Kind.HUNG_UP, Kind.FOUND_GONE}
possible = st.sampled_from(sorted(set(Kind) - {Kind.REFUSED}))


def run(*signals: Kind, state: State = State.PLANNED) -> list[State]:
    states = [state]
    for signal in signals:
        states.append(next_state(states[-1], signal))
    return states


def test_every_pair_is_in_the_table_or_known_to_be_impossible() -> None:
    assert set(TABLE) | IMPOSSIBLE == {(state, kind) for state in State for kind in Kind}
    assert not set(TABLE) & IMPOSSIBLE


@pytest.mark.parametrize(("state", "kind"), sorted(IMPOSSIBLE))
def test_an_impossible_signal_raises_an_error_that_names_both(state: State, kind: Kind) -> None:
    with pytest.raises(ImpossibleSignal, match=f"{state}.*{kind}"):
        next_state(state, kind)


@pytest.mark.parametrize("kind", Kind)
def test_an_ended_attempt_stays_ended(kind: Kind) -> None:
    assert next_state(State.ENDED, kind) is State.ENDED


@pytest.mark.parametrize(("state", "kind"), sorted(TABLE))
def test_a_state_never_goes_backwards_except_out_of_unconfirmed(state: State, kind: Kind) -> None:
    target = TABLE[state, kind]
    if State.UNCONFIRMED not in (state, target):
        assert RANK[target] >= RANK[state]


@pytest.mark.parametrize(("state", "kind"), sorted(TABLE))
def test_only_the_loss_of_the_switch_makes_an_attempt_unconfirmed(state: State, kind: Kind) -> None:
    if TABLE[state, kind] is State.UNCONFIRMED and state is not State.UNCONFIRMED:
        assert kind is Kind.SWITCH_LOST


def test_nothing_leads_back_to_planned_or_submitted() -> None:
    backwards = {(s, k) for (s, k), t in TABLE.items() if t in (State.PLANNED, State.SUBMITTED) and RANK.get(s, 9) > RANK[t]}
    assert not backwards


def test_an_answered_call_passes_through_every_state() -> None:
    signals = (
        Kind.SUBMITTED,
        Kind.RANG,
        Kind.ANSWERED,
        Kind.JOB_SUCCEEDED,
        Kind.SESSION_OPENED,
        Kind.SESSION_CLOSED,
        Kind.HUNG_UP,
    )
    assert run(*signals) == [
        State.PLANNED,
        State.SUBMITTED,
        State.RINGING,
        State.ANSWERED,
        State.ANSWERED,
        State.CONNECTED,
        State.CONNECTED,
        State.ENDED,
    ]


def test_a_session_that_opens_before_the_answer_is_told_connects_the_attempt() -> None:
    assert (
        run(Kind.RANG, Kind.SESSION_OPENED, Kind.ANSWERED, Kind.JOB_SUCCEEDED)[1:] == [State.RINGING] + [State.CONNECTED] * 3
    )


def test_a_refused_command_ends_a_planned_attempt() -> None:
    assert next_state(State.PLANNED, Kind.REFUSED) is State.ENDED


def test_a_command_refused_after_the_event_connection_was_lost_ends_the_attempt() -> None:
    assert run(Kind.SWITCH_LOST, Kind.REFUSED)[-1] is State.ENDED


@pytest.mark.parametrize("order", list(permutations((Kind.JOB_FAILED, Kind.HUNG_UP))))
def test_what_comes_second_of_job_failed_and_hung_up_stays_ended(order: tuple[Kind, Kind]) -> None:
    assert run(Kind.SUBMITTED, *order)[-2:] == [State.ENDED, State.ENDED]


@pytest.mark.parametrize("state", [State.PLANNED, State.SUBMITTED, State.RINGING, State.ANSWERED, State.CONNECTED])
def test_a_lost_switch_makes_every_open_attempt_unconfirmed(state: State) -> None:
    assert next_state(state, Kind.SWITCH_LOST) is State.UNCONFIRMED


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Kind.FOUND_RINGING, State.RINGING),
        (Kind.FOUND_ANSWERED, State.ANSWERED),
        (Kind.FOUND_GONE, State.ENDED),
        (Kind.RANG, State.RINGING),
        (Kind.ANSWERED, State.ANSWERED),
        (Kind.JOB_SUCCEEDED, State.ANSWERED),
        (Kind.SESSION_OPENED, State.UNCONFIRMED),
        (Kind.HUNG_UP, State.ENDED),
        (Kind.SUBMITTED, State.UNCONFIRMED),
        (Kind.SESSION_CLOSED, State.UNCONFIRMED),
    ],
)
def test_an_unconfirmed_attempt_becomes_what_is_known_of_its_call(kind: Kind, state: State) -> None:
    assert next_state(State.UNCONFIRMED, kind) is state


@given(
    signals=st.permutations(
        [Kind.SUBMITTED, Kind.RANG, Kind.ANSWERED, Kind.JOB_SUCCEEDED, Kind.SESSION_OPENED, Kind.SESSION_CLOSED]
    )
)
def test_any_order_of_the_signals_of_an_answered_call_leads_to_connected(signals: list[Kind]) -> None:
    assert run(*signals)[-1] is State.CONNECTED


@given(signals=st.lists(possible), ending=st.sampled_from(sorted(ENDING)), after=st.lists(possible))
def test_any_interleaving_that_holds_an_end_is_ended(signals: list[Kind], ending: Kind, after: list[Kind]) -> None:
    assert run(*signals, ending, *after)[-1] is State.ENDED


@given(signals=st.lists(possible))
def test_an_attempt_ends_exactly_when_an_ending_signal_came(signals: list[Kind]) -> None:
    assert (run(*signals)[-1] is State.ENDED) == bool(ENDING & set(signals))


@given(signals=st.lists(possible), repeated=possible)
def test_a_repeated_signal_changes_nothing(signals: list[Kind], repeated: Kind) -> None:
    states = run(*signals, repeated, repeated)
    assert states[-1] is states[-2]


@given(signals=st.lists(possible))
def test_the_rank_only_grows_while_the_switch_is_seen(signals: list[Kind]) -> None:
    for before, after in pairwise(run(*(signal for signal in signals if signal is not Kind.SWITCH_LOST))):
        assert RANK[after] >= RANK[before]


def test_the_document_shows_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == diagram(), "write dialer.calls.machine.diagram() to docs/attempt-machine.md"
