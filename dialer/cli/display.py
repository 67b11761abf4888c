"""A running campaign, and a finished one, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dialer.model import AttemptState, Disposition, OwnCause, Progress, SubscriberStatus
from dialer.model.statistics import Sums
from dialer.pace_meter import AchievedPace

_OPEN_STATES = (AttemptState.PLANNED, AttemptState.SUBMITTED, AttemptState.RINGING, AttemptState.ANSWERED)


@frozen(kw_only=True)
class View:
    """One moment of a campaign. `note` says what it waits for, "" while it calls."""

    elapsed: float
    progress: Progress
    states: Mapping[AttemptState, int]
    pace: AchievedPace
    note: str = ""


class ProgressDisplay:
    """Shows a campaign as it goes: redrawn in place on a terminal, a line every `LINE_EVERY` seconds elsewhere."""

    LINE_EVERY = 5.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._next_line = 0.0

    def start(self) -> None:
        """Take the lower part of the terminal."""
        if self._live is not None:
            self._live.start()

    def show(self, view: View) -> None:
        """Show this moment."""
        if self._live is not None:
            self._live.update(_picture(view), refresh=True)
        elif view.elapsed >= self._next_line:
            self._next_line = view.elapsed + self.LINE_EVERY
            self._console.print(_line(view), highlight=False)

    def stop(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()


def report(console: Console, by_cause: Mapping[tuple[Disposition, str], Sums], progress: Progress, untouched: int = 0) -> None:
    """The table by disposition: how often, how many attempts count, how long was talked; then the contacts, of which
    `untouched` were never called. What was never sent is no attempt to call anybody, and is told apart."""
    unsent = sum(row.attempts for (_, cause), row in by_cause.items() if cause == OwnCause.NOT_SENT)
    rows = {end: row for end, row in by_cause.items() if end[1] != OwnCause.NOT_SENT}
    table = Table(title="Attempts by disposition", title_justify="left", show_footer=True)
    attempts, counted, talk_ms = (
        sum(getattr(row, name) for row in rows.values()) for name in ("attempts", "counted", "talk_ms")
    )
    table.add_column("Disposition", footer="all")
    table.add_column("Cause", footer="")
    table.add_column("Attempts", justify="right", footer=str(attempts))
    table.add_column("Counted", justify="right", footer=str(counted))
    table.add_column("Talk time", justify="right", footer=_clock(talk_ms / 1000))
    for (disposition, cause), row in rows.items():
        table.add_row(disposition, cause, str(row.attempts), str(row.counted), _clock(row.talk_ms / 1000))
    console.print(table)
    console.print(f"Contacts: {_contacts(progress, untouched)}", highlight=False)
    if unsent:
        planned = "1 call was planned and not sent" if unsent == 1 else f"{unsent} calls were planned and not sent"
        console.print(f"{planned}: nothing has happened to their contacts.", highlight=False)


def pacing_line(pace: AchievedPace, asked: int) -> str:
    """Asked, achieved, worst second."""
    return (
        f"Pacing: asked {asked} calls/min, achieved {pace.achieved:.0f} calls/min in {pace.seconds:.0f} s of calling, "
        f"worst second {pace.worst_second} calls (asked {asked / 60:.1f}/s)"
    )


def _picture(view: View) -> RenderableType:
    total = sum(view.progress.subscribers.values())
    done = total - _left(view.progress)
    head = Text(f"{done} of {total} contacts done   {_clock(view.elapsed)}   {view.pace.calls} calls sent", style="bold")
    states = Text("   ".join(f"{state} {view.states.get(state, 0)}" for state in _shown(view.states)))
    picture = Table.grid()
    for line in (head, ProgressBar(total=max(total, 1), completed=done, width=60), states):
        picture.add_row(line)
    if view.note:
        picture.add_row(Text(view.note, style="yellow"))
    return picture


def _line(view: View) -> str:
    total = sum(view.progress.subscribers.values())
    states = ", ".join(f"{count} {state}" for state, count in sorted(view.states.items()))
    text = f"{_clock(view.elapsed)}  {total - _left(view.progress)}/{total} contacts done, {view.pace.calls} calls sent"
    return "; ".join(part for part in (text, states, view.note) if part)


def _shown(states: Mapping[AttemptState, int]) -> list[AttemptState]:
    extra = [state for state in (AttemptState.CONNECTED, AttemptState.UNCONFIRMED) if states.get(state)]
    return [*_OPEN_STATES, *extra]


def _left(progress: Progress) -> int:
    waiting = (SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.IN_PROCESS)
    return sum(progress.subscribers.get(status, 0) for status in waiting)


_WORDS: Final = {
    SubscriberStatus.COMPLETE: "complete",
    SubscriberStatus.FAIL: "failed",
    SubscriberStatus.ABORT: "aborted",
    SubscriberStatus.PAUSE: "paused",
    SubscriberStatus.IN_PROCESS: "being called",
    SubscriberStatus.NOT_AUTHORISED: "not allowed to be called",
}


def _contacts(progress: Progress, untouched: int) -> str:
    started = progress.subscribers.get(SubscriberStatus.START, 0)
    never = min(untouched, started)
    counts = [(words, progress.subscribers.get(status, 0)) for status, words in _WORDS.items()]
    counts += [("to be called again", started - never), ("not called yet", never)]
    return ", ".join(f"{count} {words}" for words, count in counts if count) or "none"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
