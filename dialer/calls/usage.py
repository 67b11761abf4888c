"""How much of each limit is in use."""

from __future__ import annotations

from attrs import Factory, define

from dialer.model import Plan


@define(eq=False)
class Usage:
    """Ledgers of our own: how many attempts are open per gateway and per campaign. From `begin` to the stored end, so that a
    limit can never be passed by what is still on its way."""

    gateways: dict[int, int] = Factory(dict)
    campaigns: dict[int, int] = Factory(dict)

    def take(self, plan: Plan) -> None:
        """An attempt was begun."""
        for ledger, key in ((self.gateways, plan.gateway.id), (self.campaigns, plan.campaign.id)):
            ledger[key] = ledger.get(key, 0) + 1

    def give_back(self, plan: Plan) -> None:
        """An attempt has ended."""
        for ledger, key in ((self.gateways, plan.gateway.id), (self.campaigns, plan.campaign.id)):
            ledger[key] -= 1
            if not ledger[key]:
                del ledger[key]
