"""The flow of a dialer that only serves its API: nobody is dialled, so that figures are those of the API and its database."""

from __future__ import annotations

from dialer.interfaces import FlowControl
from dialer.model import Campaign, Gateway, GatewayHealth, OwnSwitch, Progress


class NoFlow(FlowControl):
    """Nothing is dialled, and nothing is wrong."""

    def live_calls(self, campaign_id: int) -> int:
        """None of any campaign."""
        return 0

    def gateway_health(self, gateway: Gateway) -> GatewayHealth:
        """Nothing is known against any gateway."""
        return GatewayHealth()

    def own_switches(self) -> tuple[OwnSwitch, ...]:
        """None."""
        return ()

    def calls_per_second(self) -> float:
        """None."""
        return 0.0

    def explain(self, campaign: Campaign, progress: Progress | None) -> None:
        """Nothing keeps a campaign from calling."""
