"""The switch's limits against what the dialer is told to do."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from dialer.doctor.findings import Finding, failure, ok, warning
from dialer.freeswitch.content import session_limits
from dialer.model import Campaign

CHECK = "sessions"
PACE = "pace"
_NUMBER = re.compile(r": (\d+)\s*$")


def limit_in(reply: str) -> int | None:
    """The number in an answer of `fsctl sps` or `fsctl max_sessions`; None when there is none."""
    found = _NUMBER.search(reply)
    return int(found[1]) if found else None


def judge_sessions(
    per_second: int | None, most: int | None, calls_per_second: float, campaigns: Sequence[Campaign]
) -> Finding:
    """`per_second` and `most` are the switch's sessions-per-second and max-sessions, of which the first lets one less
    through. A call that rings until its timeout is a session all that time."""
    if per_second is None or most is None:
        return failure(CHECK, "the switch does not tell its limits", "load mod_commands")
    said = f"{per_second} sessions per second, {most} at the same time; at most {calls_per_second:g} calls per second"
    needed, _ = session_limits(calls_per_second)
    if per_second - 1 < calls_per_second:
        return failure(
            CHECK,
            f"{said}: the switch refuses what is beyond {per_second - 1}",
            f"fsctl sps {needed}, and sessions-per-second in switch.conf.xml; or lower switch.calls_per_second",
        )
    ringing = math.ceil(sum(_calls_at_once(campaign) for campaign in campaigns))
    if most < ringing:
        return warning(
            CHECK,
            f"{said}: when nobody answers, the started campaigns have {ringing} calls at the same time",
            f"fsctl max_sessions {2 * ringing}, and max-sessions in switch.conf.xml",
        )
    return ok(CHECK, said)


def judge_pace(calls_per_second: float, campaigns: Sequence[Campaign]) -> Finding:
    """The started campaigns' frequencies, which are calls per minute, against the cap."""
    wanted = sum(campaign.frequency for campaign in campaigns) / 60
    said = f"{len(campaigns)} started campaigns want {wanted:.3g} calls per second of {calls_per_second:g}"
    if wanted > calls_per_second:
        return warning(PACE, said, "they will be slower than they say: raise switch.calls_per_second, or lower a frequency")
    return ok(PACE, said)


def _calls_at_once(campaign: Campaign) -> float:
    calls = campaign.frequency / 60 * campaign.call_timeout
    return calls if campaign.max_concurrent is None else min(calls, campaign.max_concurrent)
