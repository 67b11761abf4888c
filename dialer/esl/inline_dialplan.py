"""The dialplan that a call brings itself, where the shipped context is not installed: the same steps.

FreeSWITCH has no loops in a dialplan but `transfer`. It allows 70 of them, unless `max_session_transfers` is set again each
time. A transfer without a dialplan keeps the one that the call has, unless that is just `inline`
(switch_ivr_session_transfer); so the steps stand behind that word, as its argument, and `transfer:dialer` begins anew with
them. The `${...}` are expanded then, once for all steps, and those with a backslash as each step is run: what a session has
done is known only after its `socket`. Then `current_application` is still `socket` when no session has run anything.

Steps are parted by `~`, and the whole is quoted, because the list of dialplans is cut at commas (switch_core_state_machine.c).
Tried on FreeSWITCH 1.10.12 and 1.11.2.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from dialer.esl import quoting

NOT_YET: Final = "4294967295"
"""`dialer_until`, the second in which a call stops to wait for a dialer, as long as nobody has asked for one."""

_WHEN_OVER: Final = "${cond(${strepoch()} < 0${dialer_until} ? eval : %s)}"
"""An application, once a call has waited for too long; before, `eval`, which does nothing. Without mod_expr, `dialer_until`
becomes no number, and the call asks once more only."""

_APOLOGY: Final = "tone_stream://%(330,30,950);%(330,30,1400);%(330,0,1800)"


@lru_cache(maxsize=16)
def target(wait: int) -> str:
    """Extension and dialplan of `originate`, for a call that waits `wait` seconds for a dialer: escaped for `expand`."""
    later = rf"\${{expr(\${{strepoch()}}+{wait})}}"
    earlier = rf"\${{cond(\${{dialer_until}} < {later} ? \${{dialer_until}} : {later})}}"
    until = rf"set:dialer_until=\${{cond(\${{current_application}} == socket ? {earlier} : {later})}}"
    session = r"socket:\${dialer_socket} async full"
    steps = (
        "set:sleep_eat_digits=true",
        "reuse_caller_profile",
        f"{_WHEN_OVER % 'playback'}:{_APOLOGY}",
        f"{_WHEN_OVER % 'hangup'}:NORMAL_CLEARING",
        session,
        until,
        "sleep:2000",
        session,
        until,
        "sleep:2000",
        "unset:transfer_history",
        "set:max_session_transfers=70",
        "transfer:dialer",
    )
    plan = quoting.dialplan("inline:'m:~:" + "~".join(steps) + "'")
    return f"dialer '{plan}'"
