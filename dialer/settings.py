"""The settings of an installation, each declared once: type, default, bounds, unit, and a sentence on what it does.

From here come the configuration file as it is read (`dialer.config`) and as `dialer init` writes it (`dialer.settings_file`),
the tables in docs/operations.md, and the values that the parts of the dialer are made with. A *live* setting is read again
when the running dialer is told to (SIGHUP), any other needs a restart.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import NOTHING, field, frozen

from dialer import emergency
from dialer.errors import BadValue
from dialer.model import VoipAppType

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

# Of these settings, arguments of FreeSWITCH's applications are made.
_FOLDER = "^(/[A-Za-z0-9_][A-Za-z0-9_ .-]*)*/?$"
_WORD = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
_WORD_OR_EMPTY = "^([A-Za-z0-9][A-Za-z0-9_-]{0,31})?$"
_TONE = "^[0-9A-Za-z%(),.;:=<>+*#-]{0,200}$"

DECLARED = "setting"
"""The key of a field's metadata under which its `Declaration` stands."""


@frozen(kw_only=True)
class Declaration:
    """A setting, beside its name, its type and its default: `text` says what it does, `bounds` are pydantic's, `given` is the
    type that the file has, None for that of the value. The file has a `secret`, or tells where it is
    (`dialer.secret_sources`)."""

    text: str
    unit: str
    live: bool
    given: Any
    bounds: Mapping[str, Any]
    secret: bool = False


def setting(
    default: Any,
    text: str,
    *,
    unit: str = "",
    live: bool = False,
    secret: bool = False,
    given: Any = None,
    converter: Any = None,
    **bounds: Any,
) -> Any:
    """A setting; its `default` is as it stands in the file, and NOTHING for one that has to be given. Bounds are checked when
    a file is read. A secret one is not shown by `repr`."""
    if secret:
        text = f"{text}; file:PATH or env:NAME take it from a file's first line or from the environment"
    declared = Declaration(text=text, unit=unit, live=live, given=given, bounds=bounds, secret=secret)
    return field(default=default, repr=not secret, converter=converter, metadata={DECLARED: declared})


def _kinds(names: Iterable[str | VoipAppType]) -> frozenset[VoipAppType]:
    return frozenset(VoipAppType[name.upper()] if isinstance(name, str) else name for name in names)


def _emergency(numbers: Iterable[str]) -> frozenset[str]:
    try:
        return emergency.listed(tuple(numbers))
    except ValueError as error:
        raise BadValue("numbers.emergency", str(error)) from None


def _networks(texts: Iterable[str | Network]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise BadValue("webhooks.allow", f"{error}; expected networks such as 10.20.0.0/16") from None


@frozen(kw_only=True)
class HttpSettings:
    """The REST API."""

    endpoint: str = setting(
        "tcp:8000:interface=127.0.0.1",
        "where it listens, a Twisted endpoint: tcp:PORT[:interface=ADDRESS], ssl:PORT:privateKey=FILE:certKey=FILE, "
        "unix:PATH[:mode=660][:group=NAME], systemd:domain=INET:name=NAME",
        min_length=1,
    )
    max_connections: int = setting(
        1000,
        "connections at the same time, as far as a quarter of the open files of the process allows; beyond them, one without "
        "a login gives way",
        unit="connections",
        live=True,
        ge=1,
        le=100_000,
    )
    max_connections_per_address: int = setting(
        500, "the same from one address; a proxy is one", unit="connections", live=True, ge=1, le=100_000
    )
    max_body: int = setting(
        2_097_152, "longest request body; beyond it the answer is 413", unit="bytes", live=True, ge=1024, le=2**30
    )
    request_timeout: float = setting(
        30.0, "time in which a whole request has to arrive", unit="seconds", live=True, gt=0, le=3600
    )
    idle_timeout: float = setting(
        60.0, "time between two requests of a connection, before it is closed", unit="seconds", live=True, gt=0, le=3600
    )
    requests_per_minute: int = setting(
        1000, "requests of one user; beyond them the answer is 503; 0 for no limit", unit="per minute", live=True, ge=0
    )
    login_memory: float = setting(
        10.0,
        "how long a right password needs no hash again; a change of the user acts at once all the same",
        unit="seconds",
        live=True,
        ge=0,
        le=3600,
    )
    failed_logins_per_user: int = setting(
        10, "wrong passwords of one user, before further ones are refused; 0 for no limit", unit="per minute", live=True, ge=0
    )
    failed_logins_per_address: int = setting(20, "the same for one address", unit="per minute", live=True, ge=0)


@frozen(kw_only=True)
class DatabaseSettings:
    """Where the state is kept."""

    url: str = setting(
        NOTHING,
        "where it is: sqlite:///PATH (a relative PATH counts from this file's folder) or "
        "postgresql://USER:PASSWORD@HOST/DATABASE",
        min_length=1,
        secret=True,
    )


@frozen(kw_only=True)
class NodeSettings:
    """This dialer among those that share a PostgreSQL database."""

    name: str = setting(
        "", "its name, different for each; empty: the name of this machine", pattern="^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$"
    )
    lease: float = setting(
        10.0, "how long it may be unheard of before others take its calls over", unit="seconds", ge=3, le=300
    )


@frozen(kw_only=True)
class NumbersSettings:
    """How numbers are read."""

    region: str = setting(
        "",
        "the country of national numbers, two letters such as DE; empty: none, and every number is taken as it is written. "
        "After a change, run `dialer upgrade`",
        pattern="^([A-Za-z]{2})?$",
    )
    emergency: frozenset[str] = setting(
        (),
        'numbers that are never dialled, nor shown as a caller\'s, beside the emergency numbers of the region: ["0800911"]',
        given=tuple[str, ...],
        converter=_emergency,
        max_length=200,
    )


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
        0, "calls of this dialer at the same time; 0 for no limit", unit="calls", live=True, ge=0, le=1_000_000
    )
    gateways: frozenset[str] = setting(
        (),
        'the gateways that this FreeSWITCH has, by their names, such as ["carrier"]; empty: all',
        given=tuple[str, ...],
        converter=frozenset,
        max_length=1000,
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
    inline: bool = setting(False, "true: calls do not need the dialplan context that is shipped for FreeSWITCH")


@frozen(kw_only=True)
class AppSettings:
    """The voice applications: what answered calls are connected to. Folders and files are on FreeSWITCH's machine."""

    dial: str = setting("", 'an application of your own in place of this kind, as "package.module:function"')
    play_audio: str = setting("", "the same for this kind")
    conference: str = setting("", "the same for this kind")
    speak: str = setting("", "the same for this kind")
    sounds: str = setting(
        "", "the folder in which sounds are found by name; empty: FreeSWITCH's own (sounds_dir)", pattern=_FOLDER
    )
    formats: frozenset[str] = setting(
        (),
        'what may stand before :// in the data of a voice application beside tone_stream, such as ["local_stream"]',
        given=tuple[str, ...],
        converter=frozenset,
    )
    engine: str = setting("flite", "the text to speech engine; its module has to be loaded (mod_flite)", pattern=_WORD)
    voice: str = setting("slt", "its voice", pattern=_WORD)
    conference_profile: str = setting("default", "the profile of conferences (conference.conf.xml)", pattern=_WORD)
    conference_prefix: str = setting(
        "", "what is put before the name of a room, to keep campaigns out of the other rooms", pattern=_WORD_OR_EMPTY
    )
    conference_members: int = setting(50, "the most members of a room, counted from its first one", ge=2, le=10_000)
    dial_timeout: int = setting(30, "how long a second leg may ring", unit="seconds", ge=1, le=600)
    ringback: str = setting("%(1000,4000,425)", "what the callee hears meanwhile, a tone; empty: silence", pattern=_TONE)
    opt_out_digit: str = setting(
        "", "the key with which a callee puts its number on the do-not-call list; empty: none", pattern="^[0-9A-D*#]?$"
    )
    opt_out_sound: str = setting("", "what is played then, a file or tone; empty: three tones", max_length=255)
    opt_out_wait: float = setting(5.0, "how long the key is waited for after the message", unit="seconds", ge=0, le=60)
    opt_out_kinds: frozenset[VoipAppType] = setting(
        ("play_audio", "conference", "speak"),
        "where the key counts; in dial, it would count while an agent is talked to, too",
        given=tuple[Literal["dial", "play_audio", "conference", "speak"], ...],
        converter=_kinds,
    )
    recordings: str = setting(
        "", "the folder for recordings of all calls, each named after its call; empty: none", pattern=_FOLDER
    )
    inband_dtmf: bool = setting(False, "true: look for keys in the sound as well, for carriers without RFC 2833")
    dial_limit: int = setting(3600, "how long an application of this kind may last", unit="seconds", ge=1, le=86_400)
    play_limit: int = setting(600, "the same for PlayAudio", unit="seconds", ge=1, le=86_400)
    conference_limit: int = setting(3600, "the same for Conference", unit="seconds", ge=1, le=86_400)
    speak_limit: int = setting(600, "the same for Speak", unit="seconds", ge=1, le=86_400)

    def limit(self, kind: VoipAppType) -> int:
        """Seconds that an application of a kind may last."""
        return {
            VoipAppType.DIAL: self.dial_limit,
            VoipAppType.PLAY_AUDIO: self.play_limit,
            VoipAppType.CONFERENCE: self.conference_limit,
            VoipAppType.SPEAK: self.speak_limit,
        }[kind]


@frozen(kw_only=True)
class HooksSettings:
    """Python classes in the dialer's own process that hear the events of its calls, by switchio.marks (docs/hooks.md)."""

    apps: tuple[str, ...] = setting((), 'the classes, such as ["mycompany.hooks:Screens"]', max_length=100)
    time_limit: float = setting(
        1.0,
        "how long a method, or a step of a coroutine, may take; one that lasts five times as long is given up, and its app "
        "switched off",
        unit="seconds",
        live=True,
        ge=0.05,
        le=60,
    )
    failures: int = setting(
        10, "an app is switched off after so many failures in a row", unit="failures", live=True, ge=1, le=1_000_000
    )
    queue: int = setting(
        1000,
        "events that may wait for an app; beyond them, the oldest are dropped",
        unit="events",
        live=True,
        ge=10,
        le=10_000,
    )
    commands_per_second: float = setting(
        100.0, "the most commands that an app gives to the switch", unit="per second", live=True, gt=0, le=10_000
    )


@frozen(kw_only=True)
class CdrSettings:
    """Where FreeSWITCH's mod_json_cdr posts its call detail records (url, cred): a second account of how calls ended."""

    endpoint: str = setting(
        "tcp:8085:interface=127.0.0.1", "where records are taken, at /cdr/; a Twisted endpoint", min_length=1
    )
    username: str = setting("freeswitch", "who may post them", min_length=1, pattern="^[^:]*$")
    password: str = setting(
        "", "the password for that, 8 characters or more; empty: no records are taken", pattern="^(.{8,})?$", secret=True
    )
    max_body: int = setting(1_048_576, "longest record; beyond it the answer is 413", unit="bytes", ge=1024, le=2**30)


@frozen(kw_only=True)
class MetricsSettings:
    """Metrics for Prometheus (docs/metrics.md). Health is told wherever the API or the metrics are."""

    endpoint: str = setting(
        "",
        "where /metrics and /health are served on a port of their own, a Twisted endpoint such as "
        "tcp:8086:interface=127.0.0.1; empty: nowhere",
    )
    username: str = setting("prometheus", "who may read the metrics there", min_length=1, pattern="^[^:]*$")
    password: str = setting(
        "",
        "the password for that, 8 characters or more; empty: whoever reaches the endpoint may read them",
        pattern="^(.{8,})?$",
        secret=True,
    )
    on_api: bool = setting(False, "true: /metrics is served on the API's port, too, for superusers with their passwords")


@frozen(kw_only=True)
class WebhookSettings:
    """The receivers of events that users choose (`dialer webhook`)."""

    allow: tuple[Network, ...] = setting(
        (),
        "the networks beside the public addresses that the dialer may connect to, with http, too, such as "
        '["10.20.0.0/16"]; whatever listens there can be posted to by every user',
        given=tuple[str, ...],
        converter=_networks,
        max_length=200,
    )
    http: bool = setting(False, "true: http:// is taken for public addresses, too: everybody on the way can read the events")
    requests: int = setting(
        256,
        "requests at the same time, beside one for each webhook",
        unit="requests",
        ge=1,
        le=10_000,
    )


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


@frozen(kw_only=True)
class StopSettings:
    """The time between SIGTERM and the end of the process. No call is begun any more from the signal on."""

    timeout: float = setting(
        20.0, "everything has to be done after so long; what is not is cut off", unit="seconds", live=True, gt=0, le=3600
    )
    wait_for_calls: float = setting(
        0.0,
        "how long live calls may go on; those that are left stay on the switch, and the next start takes them over",
        unit="seconds",
        live=True,
        ge=0,
        le=3600,
    )


@frozen(kw_only=True)
class EventsSettings:
    """Events of what happens, for other systems."""

    keep: float = setting(
        7.0,
        "how long an event is kept at least; one that a reader still waits for stays longer",
        unit="days",
        gt=0,
        le=3650,
    )


@frozen(kw_only=True)
class LogSettings:
    """The log on standard error."""

    level: LogLevel = setting("info", "from which level on: debug, info, warning, error", live=True)
    library_level: LogLevel = setting("warning", "the same for the libraries beneath (Twisted)", live=True)
    format: LogFormat = setting("text", "text, or json: an object a line, for programs that read logs", live=True)
    mask_numbers: bool = setting(
        False, "true: of the numbers of contacts and callers, the log shows the last three digits only", live=True
    )


@frozen(kw_only=True)
class Config:
    """The whole file. It has one `switch` or several, or a `simulator` in their place."""

    http: HttpSettings = HttpSettings()
    database: DatabaseSettings
    numbers: NumbersSettings = NumbersSettings()
    node: NodeSettings = NodeSettings()
    switch: tuple[SwitchSettings, ...] = ()
    simulator: SimulatorSettings | None = None
    outbound: OutboundSettings = OutboundSettings()
    apps: AppSettings = AppSettings()
    hooks: HooksSettings = HooksSettings()
    cdr: CdrSettings = CdrSettings()
    metrics: MetricsSettings = MetricsSettings()
    webhooks: WebhookSettings = WebhookSettings()
    recovery: RecoverySettings = RecoverySettings()
    stop: StopSettings = StopSettings()
    events: EventsSettings = EventsSettings()
    log: LogSettings = LogSettings()

    @property
    def calls_per_second(self) -> float:
        """The cap of all switches together, the simulated one included."""
        if self.simulator is not None:
            return self.simulator.calls_per_second
        return sum(switch.calls_per_second for switch in self.switch)
