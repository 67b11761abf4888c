"""Which of several gateways carries a call: the cheapest for its number, and of equally cheap ones each by its weight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import define, field

from dialer.gateways import chain, stages
from dialer.model import Gateway


def carries(gateway: Gateway, identity: str) -> bool:
    """Whether a gateway may carry a call to a number, by its identity."""
    return not gateway.prefixes or gateway.tariff.price(identity) is not None


def no_carrier(gateways: Mapping[int, Gateway], gateway_id: int, identity: str) -> str:
    """Why a number is not called through a gateway, nor through those that stand in for it: none carries it; "" when one
    does, or when there is none at all."""
    names = ", ".join(way.name for way in chain(gateways, gateway_id))
    if not names or carriers(gateways, gateway_id, identity):
        return ""
    return f"no gateway carries +{identity} (asked: {names})"


def carriers(gateways: Mapping[int, Gateway], gateway_id: int, identity: str) -> list[Gateway]:
    """Those that may carry it, in the order in which they are tried, but for their weights: step by step, the cheapest
    first."""
    found: list[Gateway] = []
    for stage in stages(gateways, gateway_id):
        able = [way for way in stage if carries(way, identity)]
        found += sorted(able, key=lambda way: _price(way, identity))
    return found


def _price(gateway: Gateway, identity: str) -> int:
    return (gateway.tariff.price(identity) or 0) if gateway.prefixes else 0


def cheapest(able: Sequence[Gateway], identity: str) -> Sequence[Gateway]:
    """Those of the gateways, all of which carry the number, through which a minute costs least."""
    if len(able) < 2 or not any(way.prefixes for way in able):
        return able
    least = min(_price(way, identity) for way in able)
    return [way for way in able if _price(way, identity) == least]


@define(eq=False)
class Shares:
    """Shares calls by weight, evenly: of weights 3 and 1, the fourth call goes the other way. Of those that can take a call,
    each gains its weight, the one that has most takes it, and gives back what all of them gained. So a gateway that was away
    has nothing to catch up with."""

    _credits: dict[int, int] = field(factory=dict, init=False)

    def take(self, able: Iterable[Gateway]) -> Gateway:
        """The one that takes the next call."""
        ways = list(able)
        if len(ways) == 1:
            return ways[0]
        for way in ways:
            self._credits[way.id] = self._credits.get(way.id, 0) + way.weight
        chosen = max(ways, key=lambda way: self._credits[way.id])
        self._credits[chosen.id] -= sum(way.weight for way in ways)
        return chosen
