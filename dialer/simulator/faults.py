"""The faults by the names that the command line knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from dialer.simulator.service import Simulator

FAULTS: Mapping[str, Callable[[Simulator, float], None]] = {
    "drop": lambda simulator, _: simulator.drop_connections(),
    "silent": lambda simulator, _: simulator.go_silent(),
    "restart": lambda simulator, _: simulator.restart(),
    "shutdown": lambda simulator, _: simulator.shut_down(),
    "late": lambda simulator, seconds: simulator.reply_late(seconds),
    "garbage": lambda simulator, _: simulator.send_garbage(),
    "refuse-password": lambda simulator, _: simulator.refuse_password(),
    "reject-address": lambda simulator, _: simulator.reject_address(),
}


@frozen
class Fault:
    """A fault that happens `after` seconds; `value` is the delay of `late`, in seconds."""

    name: str
    after: float
    value: float = 0.0


def parse_fault(text: str) -> Fault:
    """`NAME@SECONDS` or `NAME:VALUE@SECONDS`, such as `restart@30` or `late:0.5@10`. Raises ValueError."""
    what, at, after = text.partition("@")
    name, _, value = what.partition(":")
    try:
        if name not in FAULTS or not at:
            raise ValueError(name)
        return Fault(name, float(after), float(value or 0))
    except ValueError as error:
        raise ValueError(f"{text!r}: expected NAME@SECONDS, NAME being one of {', '.join(FAULTS)}") from error
