"""The log of the outbound port: a line a minute, however many come."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from dialer.periodic import RepeatedLog


@frozen
class Unwanted:
    """Why a call that comes is not driven here: it is hung up, or given back to the dialplan, which asks again."""

    reason: str
    hang_up: bool = True


class DoorLog:
    """What is counted, and told by a line a minute at most, of the connections to the outbound port: anybody on an address
    that may connect can make as many as there are. `refused` came from another address, `probes` told of no call,
    `unwanted` are calls that were hung up at once, `given_back` those that other dialers have by now, `broken` sessions that
    could not go on, `unreadable` events passed over."""

    def __init__(self, clock: IReactorTime) -> None:
        self.refused = RepeatedLog("refused connections to the outbound port", clock)
        self.probes = RepeatedLog("connections to the outbound port that were none of FreeSWITCH's", clock)
        self.unwanted = RepeatedLog("hanging up calls that came to the outbound port", clock)
        self.given_back = RepeatedLog("giving back calls that came to the outbound port", clock)
        self.broken = RepeatedLog("sessions of calls failed", clock)
        self.unreadable = RepeatedLog("an event of a call cannot be read, and is passed over", clock)

    def decline(self, unwanted: Unwanted, call_uuid: str, peer: str) -> None:
        """A call is hung up, or given back."""
        told = self.unwanted if unwanted.hang_up else self.given_back
        told.happened(unwanted.reason, call=call_uuid, peer=peer, reason=unwanted.reason)

    @property
    def figures(self) -> dict[str, int]:
        """The counts, by name."""
        return {
            "outbound-refused": self.refused.total,
            "outbound-probes": self.probes.total,
            "outbound-unwanted": self.unwanted.total,
            "outbound-given-back": self.given_back.total,
            "outbound-broken": self.broken.total,
        }
