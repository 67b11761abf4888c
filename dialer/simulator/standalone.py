"""The simulator on its own: listens, says where, has the faults that it was asked for, and ends when it is told to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from twisted.internet.error import CannotListenError
from twisted.python.failure import Failure

from dialer.errors import BadValue
from dialer.simulator.config import SimulatorConfig
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
class PlannedFault:
    """A fault that happens `after` seconds; `value` is the delay of `late`, in seconds."""

    name: str
    after: float
    value: float = 0.0


def parse_fault(text: str) -> PlannedFault:
    """`NAME@SECONDS` or `NAME:VALUE@SECONDS`, such as `restart@30` or `late:0.5@10`. Raises ValueError."""
    what, at, after = text.partition("@")
    name, _, value = what.partition(":")
    try:
        if name not in FAULTS or not at:
            raise ValueError(name)
        return PlannedFault(name, float(after), float(value or 0))
    except ValueError as error:
        raise ValueError(f"{text!r}: expected NAME@SECONDS, NAME being one of {', '.join(FAULTS)}") from error


@frozen(kw_only=True)
class StandaloneOptions:
    """The options of `dialer simulate`. `faults` happen so many seconds after the start."""

    host: str = "127.0.0.1"
    port: int = 8021
    seed: int = 0
    config: SimulatorConfig
    faults: tuple[PlannedFault, ...] = ()


def run_simulator(reactor: Any, options: StandaloneOptions, say: Callable[[str], None]) -> int:
    """Run until the reactor is stopped (Ctrl-C, SIGTERM). Returns the exit status: 0, or 1 when it could not listen."""
    simulator = Simulator(reactor, options.config, random.Random(options.seed))
    status = 0

    def listening(port: int) -> None:
        say(f"listening on {options.host}:{port}, core {simulator.core_uuid}")
        for fault in options.faults:
            reactor.callLater(fault.after, FAULTS[fault.name], simulator, fault.value)

    def failed(failure: Failure) -> None:
        nonlocal status
        status = 1
        error = failure.value
        say(str(error) if isinstance(error, CannotListenError | OSError) else failure.getTraceback())
        reactor.stop()

    def start() -> None:
        try:
            simulator.start(options.port, options.host).addCallbacks(listening, failed)
        except OSError as error:
            failed(Failure(BadValue("--log", str(error))))

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", simulator.stop)
    reactor.run()
    say(summary(simulator))
    return status


def summary(simulator: Simulator) -> str:
    """One line on the calls."""
    oracle = simulator.oracle
    ends = Counter(call.cause or "still on" for call in oracle.calls)
    answered = sum(1 for _ in oracle.answered_calls())
    causes = ", ".join(f"{cause} {count}" for cause, count in ends.most_common())
    return f"{len(oracle.calls)} calls, {answered} answered, at most {oracle.most_live} at a time" + (
        f"; {causes}" if causes else ""
    )
