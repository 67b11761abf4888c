"""Settings of the FreeSWITCH, and of the calls on it."""

from __future__ import annotations

from attrs import NOTHING, frozen

from dialer.settings.declaration import setting


@frozen(kw_only=True)
class SwitchSettings:
    """A FreeSWITCH and its Event Socket (event_socket.conf.xml). With several of them, the section is written once for each,
    every one with a name."""

    name: str = setting(
        "",
        "the same for all dialers that use this FreeSWITCH, different for any other one; empty, where there is only one: its "
        "host name and port",
        max_length=200,
        pattern="^[^,]*$",
    )
    host: str = setting("127.0.0.1", "its address", min_length=1)
    port: int = setting(8021, "the port of its Event Socket", ge=1, le=65535)
    password: str = setting(NOTHING, "the password of its Event Socket", min_length=1, secret=True)
    calls_per_second: float = setting(
        25.0,
        "the most calls that are started; a stock FreeSWITCH admits 29 (sessions-per-second)",
        unit="per second",
        live=True,
        gt=0,
        le=10_000,
    )
    max_in_flight: int = setting(
        50, "originate commands that it has not accepted yet, at the same time", unit="commands", live=True, ge=1, le=10_000
    )
    max_calls: int = setting(
        0,
        "calls of this dialer at the same time, second legs included; 0 for no limit",
        unit="calls",
        live=True,
        ge=0,
        le=1_000_000,
    )
    drain: bool = setting(
        False, "true: no more calls are begun on it, and those that it has go on, so that it can be taken out", live=True
    )
    gateways: frozenset[str] = setting(
        (),
        'the gateways that this FreeSWITCH has, by their names, such as ["carrier"]; empty: all',
        given=tuple[str, ...],
        converter=frozenset,
        max_length=1000,
    )
    gateway_interval: float = setting(
        5.0,
        "how often it is asked for the states of its SIP gateways (sofia status): one that it knows to be down is not called "
        "through; 0: never",
        unit="seconds",
        ge=0,
        le=3600,
    )
    silence: float = setting(
        10.0,
        "a connection on which nothing is heard for so long is given up",
        unit="seconds",
        ge=5,
        le=300,
    )


@frozen(kw_only=True)
class SimulatorSettings:
    """The built-in stand-in for a FreeSWITCH, in place of [[switch]]: nobody is called, scripts answer."""

    port: int = setting(0, "the port of its Event Socket, on 127.0.0.1; 0 is any free one", ge=0, le=65535)
    calls_per_second: float = setting(
        25.0, "the most calls that are started on it", unit="per second", live=True, gt=0, le=10_000
    )
    callees: tuple[str, ...] = setting((), 'who answers which numbers, such as ["555*=busy", "*7=answers:ring=1,talk=2-5"]')
    mix: str = setting("", "who answers the other numbers, by weight, such as answers=3,busy=1; empty: the built-in mix")
    time_scale: float = setting(1.0, "stretches the times of the callees", gt=0, le=1000)
    seed: int = setting(0, "of everything that is left to chance", ge=0, le=2**63 - 1)


@frozen(kw_only=True)
class OutboundSettings:
    """The socket server to which FreeSWITCH hands the answered calls."""

    endpoint: str = setting(
        "tcp:8084:interface=127.0.0.1", "where it listens, a Twisted endpoint; port 0 is any free one", min_length=1
    )
    advertise: str = setting("", "HOST:PORT at which FreeSWITCH reaches it; empty: as it listens")
    allow: tuple[str, ...] = setting(("127.0.0.1", "::1"), "the addresses of the switches that may connect")
    wait_for_dialer: int = setting(
        60,
        "an answered call without a dialer asks for one every two seconds for so long, then it ends with three tones",
        unit="seconds",
        ge=5,
        le=3600,
    )
    inline: bool = setting(False, "true: calls do not need the dialplan context that is shipped for FreeSWITCH")


@frozen(kw_only=True)
class RecoverySettings:
    """How open attempts are judged after a crash or a lost connection. Shorter times than the defaults are for a switch nearby
    that is never overloaded: a call that it begins later than the grace allows for would ring for an ended attempt."""

    grace: float = setting(
        10.0,
        "a call that the switch does not know is gone for certain so long after the last moment at which it could have begun",
        unit="seconds",
        ge=2,
        le=300,
    )
    originate_window: float = setting(
        10.0,
        "time from the moment at which a call is due to that from which on the switch itself refuses to make it",
        unit="seconds",
        ge=2,
        le=60,
    )
