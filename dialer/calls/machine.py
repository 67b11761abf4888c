"""The life of an attempt: one table, `(state, signal) -> state`, and nothing else may change a state.

How an attempt ended (cause, SIP status, times) is data beside the state. What the table takes into account:

- Replies, events and sessions reach us over different connections, so in any order: an attempt that is PLANNED or SUBMITTED
  takes every later signal, the session of an answered call may open before its answer is told, and the result of the job
  comes before or after the hangup. Whatever comes after the end changes nothing.
- `originate` runs with `ignore_early_media=true`, so the job succeeds at the answer, not at a 183.
- A session that closes says nothing about the call: the dialplan goes on behind it, and may open another one.
- UNCONFIRMED is a call whose switch we cannot see, also one that may just have been sent. Only what shows the call alive or
  gone leads out of it. It is the one state that an attempt leaves backwards, since what is found is the truth.
  A session does not show it: it comes over a connection of its own, perhaps late, and the call may have ended unheard since.
- FOUND_GONE is a verdict (the channel is absent after the grace, on a switch that we see), not the look at one listing.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from dialer.model import AttemptState, SignalKind

_PLA = AttemptState.PLANNED
_SUB = AttemptState.SUBMITTED
_RNG = AttemptState.RINGING
_ANS = AttemptState.ANSWERED
_CON = AttemptState.CONNECTED
_UNC = AttemptState.UNCONFIRMED
_END = AttemptState.ENDED
_NEVER = None  # cannot happen: to see it is a programming error

# fmt: off
_COLUMNS = (                           _PLA,   _SUB,   _RNG,   _ANS,   _CON,   _UNC,   _END)
_ROWS = {
    SignalKind.SUBMITTED:             (_SUB,   _SUB,   _RNG,   _ANS,   _CON,   _UNC,   _END),
    # One command has one reply: what was accepted, or is already on the line, cannot be refused any more.
    SignalKind.REFUSED:               (_END,   _NEVER, _NEVER, _NEVER, _NEVER, _END,   _END),
    SignalKind.JOB_SUCCEEDED:         (_ANS,   _ANS,   _ANS,   _ANS,   _CON,   _ANS,   _END),
    SignalKind.JOB_FAILED:            (_END,   _END,   _END,   _END,   _END,   _END,   _END),
    SignalKind.RANG:                  (_RNG,   _RNG,   _RNG,   _ANS,   _CON,   _RNG,   _END),
    SignalKind.EARLY_MEDIA_STARTED:   (_RNG,   _RNG,   _RNG,   _ANS,   _CON,   _RNG,   _END),
    SignalKind.ANSWERED:              (_ANS,   _ANS,   _ANS,   _ANS,   _CON,   _ANS,   _END),
    SignalKind.SESSION_OPENED:        (_CON,   _CON,   _CON,   _CON,   _CON,   _UNC,   _END),
    SignalKind.SESSION_CLOSED:        (_PLA,   _SUB,   _RNG,   _ANS,   _CON,   _UNC,   _END),
    SignalKind.HUNG_UP:               (_END,   _END,   _END,   _END,   _END,   _END,   _END),
    SignalKind.SWITCH_LOST:           (_UNC,   _UNC,   _UNC,   _UNC,   _UNC,   _UNC,   _END),
    SignalKind.FOUND_RINGING:         (_RNG,   _RNG,   _RNG,   _ANS,   _CON,   _RNG,   _END),
    SignalKind.FOUND_ANSWERED:        (_ANS,   _ANS,   _ANS,   _ANS,   _CON,   _ANS,   _END),
    SignalKind.FOUND_GONE:            (_END,   _END,   _END,   _END,   _END,   _END,   _END),
}
# fmt: on

TABLE: Final = MappingProxyType(
    {
        (state, signal): target
        for signal, row in _ROWS.items()
        for state, target in zip(_COLUMNS, row, strict=True)
        if target is not None
    }
)
"""Every pair that can happen. A pair whose target is the state itself is a signal that is ignored on purpose."""


class ImpossibleSignal(Exception):
    """A signal that cannot happen to an attempt in that state: a programming error, not a user's or a peer's."""

    def __init__(self, state: AttemptState, signal: SignalKind) -> None:
        super().__init__(f"an attempt that is {state} cannot get the signal {signal}")
        self.state = state
        self.signal = signal


def next_state(state: AttemptState, signal: SignalKind) -> AttemptState:
    """The state after `signal`; the same one where the signal tells nothing new. Raises `ImpossibleSignal`."""
    target = TABLE.get((state, signal))
    if target is None:
        raise ImpossibleSignal(state, signal)
    return target


def diagram() -> str:
    """The table as Markdown: the moves as a Mermaid diagram, then every pair ("-" stays, "!" cannot happen)."""
    return "\n".join(["# The life of an attempt", "", *_mermaid(), "", *_grid(), ""])


def _mermaid() -> list[str]:
    moves: dict[tuple[AttemptState, AttemptState], list[str]] = {}
    for (state, signal), target in TABLE.items():
        if target is not state:
            moves.setdefault((state, target), []).append(signal)
    lines = [
        f"    {state} --> {target}: {', '.join(signals)}" for (state, target), signals in sorted(moves.items(), key=_rank)
    ]
    return ["```mermaid", "stateDiagram-v2", f"    [*] --> {_PLA}", *lines, f"    {_END} --> [*]", "```"]


def _rank(move: tuple[tuple[AttemptState, AttemptState], list[str]]) -> tuple[int, int]:
    (state, target), _ = move
    return _COLUMNS.index(state), _COLUMNS.index(target)


def _grid() -> list[str]:
    lines = ["| signal | " + " | ".join(_COLUMNS) + " |", "|---" * (len(_COLUMNS) + 1) + "|"]
    for signal in _ROWS:
        cells = [_cell(state, TABLE.get((state, signal))) for state in _COLUMNS]
        lines.append(f"| {signal} | " + " | ".join(cells) + " |")
    return [*lines, "", 'Every column is a state, every cell what follows: "-" stays, "!" cannot happen.']


def _cell(state: AttemptState, target: AttemptState | None) -> str:
    if target is None:
        return "!"
    return "-" if target is state else str(target)
