"""Corrections outside of the plain course of calls: each correction is counted by its kind, and logged with its
reason."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

import structlog
from attrs import define, field

log = structlog.get_logger()


class Correction(enum.StrEnum):
    """The kinds of corrections."""

    ADOPTED_RINGING = "adopted-ringing"  # a call that lives on, found after a lost connection or a restart
    ADOPTED_ANSWERED = "adopted-answered"
    ENDED_UNKNOWN = "ended-unknown"  # its call is gone, and nobody heard how that ended
    ENDED_ANSWERED = "ended-answered"  # the same for a call that had been answered
    NEVER_DIALLED = "never-dialled"  # it may have been sent, and the switch never dialled for it
    LOST_SWITCH = "lost-switch"  # its call died with the FreeSWITCH process that had it
    LOST_WITHOUT_A_WORD = "lost-without-a-word"  # its call is gone although the connection held
    LOST_AWAY = "lost-away"  # its switch stays away, and the call can last no longer
    JOB_NOT_BELIEVED = "job-not-believed"  # the switch said that it failed, and knows the call
    UNDRIVEN_HUNG_UP = "undriven-hung-up"  # answered, and no session came
    OVERDUE_HUNG_UP = "overdue-hung-up"  # beyond every limit of its own
    ORPHAN_HUNG_UP = "stray-hung-up"  # a channel of ours that no attempt knows
    RECORD_ENDED = "record-ended"  # a call detail record told the end of a call that nobody could hear
    RECORD_CORRECTED = "record-corrected"  # a call detail record told how a call had ended of which nobody could
    RESCUED = "rescued"  # an attempt of a dead node, taken over
    DISOWNED = "disowned"  # another node has the attempt by now


NOTHING_LOST = frozenset(
    {
        Correction.ADOPTED_RINGING,
        Correction.ADOPTED_ANSWERED,
        Correction.RESCUED,
        Correction.NEVER_DIALLED,
        Correction.RECORD_ENDED,
        Correction.RECORD_CORRECTED,
    }
)
"""Logged as information; the others are warnings."""


@define(eq=False)
class CorrectionLog(Mapping[Correction, int]):
    """How many of each kind there were since the start: a mapping of all kinds, those that never were included."""

    _counts: dict[Correction, int] = field(factory=lambda: dict.fromkeys(Correction, 0), init=False)

    def note(self, kind: Correction, call_uuid: str, reason: str) -> None:
        """One correction, of the call `call_uuid`; `reason` is a sentence for who reads the log."""
        self._counts[kind] += 1
        write = log.info if kind in NOTHING_LOST else log.warning
        write("correction", kind=str(kind), call=call_uuid, reason=reason)

    def __getitem__(self, kind: Correction) -> int:
        return self._counts[kind]

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)
