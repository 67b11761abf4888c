"""The facts of the installation that the flow needs, and the order for a call that is made of them."""

from __future__ import annotations

from datetime import datetime

from attrs import Factory, frozen

from dialer.model import Attempt, Origination
from dialer.settings import RecoverySettings


@frozen(kw_only=True)
class FlowSettings:
    """The facts of the installation for the flow. Durations in seconds.

    `hangup_wait` is how long the end of a call waits for the switch's account of it after the job failed; `session_wait`, for
    the end of the voice application after the hangup.
    """

    installation: str
    outbound: str
    wait_for_dialer: int = 60
    inline: bool = False
    recovery: RecoverySettings = Factory(RecoverySettings)
    hangup_wait: float = 1.0
    session_wait: float = 5.0
    finish_retry: float = 1.0

    @property
    def account_code(self) -> str:
        """How our channels are told from others' on a shared switch."""
        return f"dialer-{self.installation}"


def origination(attempt: Attempt, settings: FlowSettings, least_ring: int, latest: datetime) -> Origination:
    """The order to make the call of an attempt before the moment `latest`; it rings for `least_ring` seconds at least before
    it is given up."""
    campaign = attempt.plan.campaign
    return Origination(
        call_uuid=attempt.call_uuid,
        dial_string=attempt.plan.dial_string,
        account_code=settings.account_code,
        timeout=max(campaign.call_timeout, least_ring),
        max_duration=campaign.call_max_duration,
        deadline=latest,
        outbound=settings.outbound,
        wait_for_dialer=settings.wait_for_dialer,
        inline=settings.inline,
        caller_id_number=attempt.plan.shown.number,
        caller_id_name=attempt.plan.shown.name,
        variables=attempt.plan.gateway.parameters,
    )
