"""Deliberate defects of what the rules of a call are: the numbers that it shows, do-not-call lists, attempts, hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import MappingProxyType
from typing import Any, Final
from unittest import mock

from attrs import evolve, frozen

import dialer.campaigns.caller_ids
import dialer.rules.last_moment
import dialer.store.begin
import dialer.store.caller_id_assignment
import dialer.store.flow
import dialer.store.held
from dialer.model import Plan
from dialer.rules.decide import OPEN
from dialer.rules.hours import Hours


@frozen
class Defect:
    """`seen_by` is the sweep that must see it, of a `scenario`; one that is `hidden` does no harm without a fault."""

    apply: Callable[[], AbstractContextManager[None]]
    seen_by: str = "kills"
    hidden: bool = True
    scenario: str = "mixed"


@contextmanager
def calls_counted_by_each_process() -> Iterator[None]:
    """A process counts the calls that show a number from its own start on."""
    assign, pool_state = dialer.store.caller_id_assignment.assign, dialer.store.caller_id_assignment.pool_state
    shown: Counter[tuple[int, str, int]] = Counter()

    def counting(connection: Any, plans: Sequence[Plan], *more: Any) -> list[Plan]:
        found = assign(connection, plans, *more)
        shown.update((id(connection), plan.caller.day, plan.caller.id) for plan in found if plan.caller is not None)
        return found

    def forgetful(connection: Any, pool_id: int, now: Any, *more: Any, **named: Any) -> Any:
        state = pool_state(connection, pool_id, now, *more, **named)
        day = dialer.campaigns.caller_ids.day_of(state.pool, now).isoformat()
        mine = [evolve(each, used=shown[id(connection), day, each.caller.id]) for each in state.numbers]
        return evolve(state, numbers=tuple(mine))

    with (
        mock.patch.object(dialer.store.begin, "assign", counting),
        mock.patch.object(dialer.store.caller_id_assignment, "pool_state", forgetful),
    ):
        yield


@contextmanager
def rests_of_caller_ids_are_not_kept() -> Iterator[None]:
    """A number that rests is used."""
    obstacle = dialer.campaigns.caller_ids.obstacle

    def awake(number: Any, *more: Any) -> Any:
        return obstacle(evolve(number, caller=evolve(number.caller, rest_until=None)), *more)

    with mock.patch.object(dialer.campaigns.caller_ids, "obstacle", awake):
        yield


@contextmanager
def a_retry_shows_the_next_number() -> Iterator[None]:
    """That a contact has a number is not known."""
    with mock.patch.object(dialer.store.caller_id_assignment, "_earlier", lambda *_: {}):
        yield


@contextmanager
def numbers_of_contacts_are_remembered_by_each_process() -> Iterator[None]:
    """Which number a contact has is known to the process that has called it."""
    earlier, assign = dialer.store.caller_id_assignment._earlier, dialer.store.caller_id_assignment.assign
    known: dict[tuple[int, int], int] = {}

    def remembering(connection: Any, plans: Sequence[Plan], *more: Any) -> list[Plan]:
        found = assign(connection, plans, *more)
        for plan in found:
            if plan.caller is not None and plan.caller.id is not None:
                known[id(connection), plan.candidate.subscriber_id] = plan.caller.id
        return found

    def mine(connection: Any, *more: Any) -> dict[int, int]:
        found = earlier(connection, *more)
        return {key: number for key, number in found.items() if (id(connection), key) in known}

    with (
        mock.patch.object(dialer.store.begin, "assign", remembering),
        mock.patch.object(dialer.store.caller_id_assignment, "_earlier", mine),
    ):
        yield


_HIDE: Final = "UPDATE do_not_call SET removed_at = created_at WHERE source = 'in the run' AND removed_at IS NULL"
_SHOW: Final = "UPDATE do_not_call SET removed_at = NULL WHERE source = 'in the run'"


@contextmanager
def lists_are_those_of_the_start() -> Iterator[None]:
    """What is put on a do-not-call list while calls are made is not looked at."""

    def blind(function: Callable[..., Any]) -> Callable[..., Any]:
        def looking(connection: Any, *more: Any, **named: Any) -> Any:
            connection.execute(_HIDE)
            found = function(connection, *more, **named)
            connection.execute(_SHOW)
            return found

        return looking

    with (
        mock.patch.object(dialer.store.flow, "candidates", blind(dialer.store.flow.candidates)),
        mock.patch.object(dialer.store.begin, "_claimable", blind(dialer.store.begin._claimable)),
    ):
        yield


@contextmanager
def nobody_asks_for_the_rules() -> Iterator[None]:
    """The calling rules are not asked."""
    with ExitStack() as stack:
        for module in (dialer.store.begin, dialer.store.held, dialer.rules.last_moment):
            stack.enter_context(mock.patch.object(module, "decide", lambda *_: OPEN))
        yield


@contextmanager
def it_is_never_too_early_or_too_late() -> Iterator[None]:
    """Of the calling rules, the hours are not looked at."""
    with mock.patch.object(Hours, "opening", lambda self, now: now):
        yield


@contextmanager
def unknown_ends_are_no_attempts() -> Iterator[None]:
    """An attempt that ended nobody knows how is none for the rules that count."""
    with mock.patch.object(
        dialer.store.held, "DIALLED", "(cause IS NULL OR cause NOT IN ('NOT_SENT', 'LATE', 'REFUSED', 'UNKNOWN'))"
    ):
        yield


RULE_DEFECTS: Final[Mapping[str, Defect]] = MappingProxyType(
    {
        "calls of a caller id counted by each process": Defect(calls_counted_by_each_process, scenario="pool"),
        "a caller id that rests is used": Defect(rests_of_caller_ids_are_not_kept, hidden=False, scenario="pool"),
        "a retry shows the next caller id": Defect(a_retry_shows_the_next_number, hidden=False, scenario="pool"),
        "caller ids of contacts remembered by each process": Defect(
            numbers_of_contacts_are_remembered_by_each_process, scenario="pool"
        ),
        "lists are those of the start": Defect(lists_are_those_of_the_start, hidden=False, scenario="pool"),
        "nobody asks for the rules": Defect(nobody_asks_for_the_rules, hidden=False, scenario="ruled"),
        "hours are not looked at": Defect(it_is_never_too_early_or_too_late, hidden=False, scenario="ruled"),
        "unknown ends are no attempts": Defect(unknown_ends_are_no_attempts, scenario="ruled"),
    }
)
