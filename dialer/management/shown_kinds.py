"""Kinds of contacts that differ also by the caller ids that can be shown to them, while a campaign is played ahead of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from dialer.campaigns.played_pool import PlayedPool
from dialer.campaigns.timetable import Timetable
from dialer.management.kinds_of_contacts import ContactKinds


@define(eq=False)
class ShownKinds:
    """Each is a kind by the calling rules together with a group by the pool, by numbers from 0 on; they have the caller ids
    for a `Rehearsal` that goes by `timetable` and ends at the moment `end`, in microseconds since 1970."""

    kinds: ContactKinds
    pool: PlayedPool
    timetable: Timetable
    end: int
    _pairs: list[tuple[int, int]] = field(factory=list, init=False)
    _known: dict[tuple[int, int], int] = field(factory=dict, init=False)
    _lacking: dict[int, int] = field(factory=dict, init=False)
    """Until when there is no caller id for a kind at the end."""
    _aside: dict[int, int] = field(factory=dict, init=False)
    """Until when those of a group were set aside."""
    _ways: dict[int, int] = field(factory=dict, init=False)
    """The gateways that carry calls to contacts of a kind, as it was asked last."""

    def of_all(self, kinds: Sequence[int], identities: Sequence[str], ids: Sequence[int], had: Mapping[int, int]) -> list[int]:
        """Those of some contacts, by their kinds by the rules, their numbers, and the caller ids that they `had` before, by
        the ids of their subscribers."""
        group = self.pool.group
        if had:
            groups = [group(identity, had.get(key)) for identity, key in zip(identities, ids, strict=True)]
        else:
            groups = list(map(group, identities))
        return [self._of(pair) for pair in zip(kinds, groups, strict=True)]

    def _of(self, pair: tuple[int, int]) -> int:
        found = self._known.get(pair)
        if found is None:
            found = self._known[pair] = len(self._pairs)
            self._pairs.append(pair)
        return found

    def rules_open(self, kind: int, at: int) -> int:
        """From when on they may be called by the rules."""
        return self.kinds.opens(self._pairs[kind][0], at)

    def rules_open_until(self, kind: int, at: int) -> int:
        """Up to when they may be called by the rules at least, from `at` on, at which they may."""
        return self.kinds.open_until(self._pairs[kind][0], at)

    # --- dialer.campaigns.rehearsal.Shows ---------------------------------------------------------------------------------

    @property
    def sets_aside(self) -> bool:
        """Whether there was no caller id for some contacts."""
        return bool(self._aside)

    def set_aside_until(self, kind: int) -> int:
        """Until when there is, or was, none for those of the kind that were ready before."""
        return self._aside.get(self._pairs[kind][1], 0)

    def opens(self, kind: int, at: int) -> int:
        """When a contact may be shown a caller id, through a gateway that is free. Whoever begins calls sets all aside that
        are next and may be shown none, not only those whose turn it is (`dialer.store.caller_id_assignment`)."""
        free, pool = self.timetable.free(at), self.pool
        found = pool.gateway(self._pairs[kind][1], free, at)
        if found is not None:
            self._ways[kind] = found
            return at
        for group in range(pool.groups):
            if self._aside.get(group, 0) <= at and pool.gateway(group, free, at) is None:
                self._aside[group] = max(pool.opens_again(group, self.timetable.ways, at), at + 1)
        return self._aside[self._pairs[kind][1]]

    def take(self, kind: int, at: int) -> None:
        """A contact is called, and shown one, after `opens` has told that it may be at this moment."""
        gateway_id = self._ways[kind]
        self.pool.take(self._pairs[kind][1], gateway_id, at)
        self.timetable.take(at, gateway_id)

    def lacks(self, kind: int) -> int:
        """Until when there is none for a contact, at the end, through any gateway; 0 when there is one."""
        found = self._lacking.get(kind)
        if found is None:
            found = self._lacking[kind] = self._lacks(self._pairs[kind][1])
        return found

    def _lacks(self, group: int) -> int:
        last, ways = self.end - 1, self.timetable.ways
        opens = self.pool.opens(last)
        if opens > last:
            return opens
        return 0 if self.pool.gateway(group, ways, last) is not None else self.pool.opens_again(group, ways, last)
