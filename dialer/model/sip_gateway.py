"""A SIP gateway as a FreeSWITCH knows it."""

from __future__ import annotations

from typing import Final

from attrs import frozen

UP: Final = "UP"
_UNUSABLE: Final = frozenset({"FAILED", "FAIL_WAIT"})
"""States of a registration that failed; for a moment, the status does not show it yet (sofia_reg_check_gateway)."""


@frozen(kw_only=True)
class SipGateway:
    """A gateway of mod_sofia, in its words: `state` is that of its registration (NOREG, TRYING, REGED, FAIL_WAIT, ...),
    `status` is UP, or DOWN when it does not answer the switch's pings or cannot be registered."""

    name: str
    profile: str
    state: str
    status: str

    @property
    def is_down(self) -> bool:
        """Whether the switch refuses calls through it (GATEWAY_DOWN, sofia_outgoing_channel), or is about to."""
        return self.status != UP or self.state in _UNUSABLE

    @property
    def text(self) -> str:
        """Such as `DOWN, FAIL_WAIT`; NOREG, the state of those that do not register, says nothing."""
        return self.status if self.state == "NOREG" else f"{self.status}, {self.state}"
