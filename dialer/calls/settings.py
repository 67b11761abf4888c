"""What the flow is told of the installation."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class FlowSettings:
    """What the flow needs to know of the installation. Durations in seconds.

    `originate_window` bounds the time from `begin` to the moment at which the switch still accepts the originate.
    `hangup_wait` is how long the end of a call waits for the switch's account of it after the job failed; `session_wait`, for
    the end of the voice application after the hangup.
    """

    installation: str
    outbound: str
    inline: bool = False
    originate_window: float = 10.0
    hangup_wait: float = 1.0
    session_wait: float = 5.0
    finish_retry: float = 1.0
    recovery_grace: float = 10.0

    @property
    def account_code(self) -> str:
        """How our channels are told from others' on a shared switch."""
        return f"dialer-{self.installation}"
