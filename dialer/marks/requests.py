"""The text of an API command, as switchio's sessions and clients write it, to the request that it means: only those that act
on a channel, and a few that read; what an application of the dialplan would do is left to the gate.

`uuid_broadcast UUID bridge::{a=b}sofia/external/1555@carrier` is a `SecondLeg`, `uuid_broadcast UUID playback::FILE` an
`Execute`, `uuid_kill UUID` an `Ask`; `sched_api` and `sched_broadcast` are a `Later` with a request in it, so that the gate is
asked at the moment at which it is due.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from dialer.errors import BadValue
from dialer.model.flow import Transfer
from dialer.model.masking import is_secret

RING_TIMEOUT: Final = 60
"""Seconds that a second leg may ring, unless `originate_timeout` says otherwise."""

LONGEST: Final = 4096
"""Characters of a command."""

LATEST: Final = 86_400.0
"""Seconds: the longest call."""


@frozen(kw_only=True)
class Ask:
    """A function of the switch that reads, or acts on the channel `uuid` ("" for none)."""

    uuid: str
    function: str
    arguments: str


@frozen(kw_only=True)
class Execute:
    """An application of the dialplan, run on a channel; `leg` is aleg, bleg or both."""

    uuid: str
    application: str
    argument: str
    leg: str = "aleg"


@frozen(kw_only=True)
class SecondLeg:
    """A second leg that a channel is to be connected to."""

    uuid: str
    transfer: Transfer
    leg: str = "aleg"


@frozen(kw_only=True)
class Later:
    """A request that is due after so many seconds."""

    seconds: float
    request: Ask | Execute | SecondLeg

    @property
    def uuid(self) -> str:
        """The channel that it is about."""
        return self.request.uuid


Immediate = Ask | Execute | SecondLeg
Request = Immediate | Later

_UUID = r"(?P<uuid>[A-Za-z0-9][A-Za-z0-9-]{0,35})"
_LEG = re.compile(r"(?P<path>.+?)(?: +(?P<leg>aleg|bleg|both))?", re.DOTALL)
_SECONDS = re.compile(r"\+(\d{1,7}(?:\.\d{1,6})?) +(.*)", re.DOTALL)
_CAUSE = r"(?: (?P<rest>[A-Z0-9_]{1,64}))?"
_FUNCTIONS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "avmd": rf"{_UUID} (?:start|stop)",
        "sched_hangup": rf"\+\d{{1,6}}(?:\.\d{{1,6}})? {_UUID}{_CAUSE}",
        "uuid_answer": _UUID,
        "uuid_audio": rf"{_UUID} (?:stop|start (?:read|write) (?:mute|level) -?\d{{1,5}})",
        "uuid_break": rf"{_UUID}(?: all)?",
        "uuid_exists": _UUID,
        "uuid_flush_dtmf": _UUID,
        "uuid_getvar": rf"{_UUID} (?P<name>[A-Za-z0-9_.-]{{1,128}})",
        "uuid_hold": rf"(?:(?:off|toggle) )?{_UUID}",
        "uuid_kill": rf"{_UUID}{_CAUSE}",
        "uuid_media": rf"(?:off )?{_UUID}",
        "uuid_park": _UUID,
        "uuid_pre_answer": _UUID,
        "uuid_recv_dtmf": rf"{_UUID} [0-9A-Da-d*#wW@+]{{1,128}}",
        "uuid_record": rf"{_UUID} (?:start|stop|mask|unmask) [A-Za-z0-9_./ -]{{1,255}}",
        "uuid_ring_ready": _UUID,
        "uuid_send_dtmf": rf"{_UUID} [0-9A-Da-d*#wW@+ ]{{1,128}}",
    }.items()
}
_READ: Final = re.compile(r"(?:[a-z]+_dir|sound_prefix|hostname|core_uuid|domain|local_ip_v4)")
"""Global variables of the switch that tell where things are."""


def read(text: str) -> Request:
    """The request that an API command means. Raises `BadValue` for one that a hook may not give, naming its function."""
    if len(text) > LONGEST:
        raise BadValue("command", f"has {len(text)} characters; at most {LONGEST} are accepted")
    function, _, arguments = text.strip(" ").partition(" ")
    arguments = arguments.strip(" ")
    if function in _FUNCTIONS:
        return _asked(function, arguments)
    reader = _READERS.get(function)
    if reader is None:
        raise BadValue(function[:60] or "command", "is not a command for a hook, which acts on the dialer's own calls alone")
    return reader(function, arguments)


def _asked(function: str, arguments: str) -> Ask:
    found = _FUNCTIONS[function].fullmatch(arguments)
    if found is None:
        raise BadValue(function, f"{arguments[:80]!r} is not what it takes")
    name = found.groupdict().get("name") or ""
    if is_secret(name):
        raise BadValue(function, f"{name} is a secret")
    return Ask(uuid=found["uuid"], function=function, arguments=arguments)


def _global(function: str, arguments: str) -> Ask:
    if not _READ.fullmatch(arguments):
        raise BadValue(function, f"{arguments[:60]!r} is not one of the variables that a hook may read, such as sounds_dir")
    return Ask(uuid="", function=function, arguments=arguments)


def _channel(function: str, arguments: str) -> tuple[str, str]:
    """The UUID that arguments begin with, and the rest."""
    found = re.fullmatch(rf"{_UUID} (?P<rest>.+)", arguments, re.DOTALL)
    if found is None:
        raise BadValue(function, f"{arguments[:80]!r} does not begin with the UUID of a channel")
    return found["uuid"], found["rest"].strip(" ")


def _broadcast(function: str, arguments: str) -> Execute | SecondLeg:
    """`UUID APPLICATION::ARGUMENT [LEG]`; a path without an application is played (switch_ivr_broadcast)."""
    uuid, rest = _channel(function, arguments)
    found = _LEG.fullmatch(rest)
    path, leg = (found["path"], found["leg"]) if found is not None else (rest, None)
    application, colons, argument = path.partition("::")
    if not colons:
        application, argument = "playback", path
    if application.lower() == "bridge":
        return SecondLeg(uuid=uuid, transfer=transfer_to(argument), leg=leg or "aleg")
    return Execute(uuid=uuid, application=application, argument=argument, leg=leg or "aleg")


def transfer_to(argument: str) -> Transfer:
    """The second leg that an argument of `bridge` asks for: `{name=value,...}ADDRESS`. Raises `BadValue`."""
    variables: dict[str, str] = {}
    if argument.startswith("{"):
        inside, closed, argument = argument[1:].partition("}")
        if not closed:
            raise BadValue("bridge", "its variables have no closing brace")
        for pair in filter(None, inside.split(",")):
            name, equals, value = pair.partition("=")
            if not equals:
                raise BadValue("bridge", f"{pair[:60]!r} is not name=value")
            variables[name.strip(" ")] = value
    timeout = variables.pop("originate_timeout", str(RING_TIMEOUT))
    if not (timeout.isascii() and timeout.isdigit()):
        raise BadValue("bridge", f"originate_timeout={timeout[:20]} is not a number of seconds")
    number = variables.pop("origination_caller_id_number", "")
    return Transfer(dial_string=argument, timeout=int(timeout), caller_id_number=number, variables=tuple(variables.items()))


def _set(function: str, arguments: str) -> Execute:
    uuid, rest = _channel(function, arguments)
    if function == "uuid_setvar":
        name, _, value = rest.partition(" ")
        return Execute(uuid=uuid, application="set", argument=f"{name}={value}")
    return Execute(uuid=uuid, application="multiset", argument=f"^^;{rest}")


def _moved(function: str, arguments: str) -> Execute:
    uuid, rest = _channel(function, arguments)
    return Execute(uuid=uuid, application=function.removeprefix("uuid_"), argument=rest)


def _later(function: str, arguments: str) -> Later:
    found = _SECONDS.fullmatch(arguments)
    if found is None or float(found[1]) > LATEST:
        raise BadValue(function, f"{arguments[:80]!r} does not begin with +SECONDS, {LATEST:g} at most")
    rest = found[2]
    if function == "sched_broadcast":
        request: Request = _broadcast(function, rest)
    else:
        request = read(rest.partition(" ")[2])  # the first word names a group of tasks
    if isinstance(request, Later):
        raise BadValue(function, "what is scheduled may not schedule again")
    return Later(seconds=float(found[1]), request=request)


_READERS: Final[Mapping[str, Callable[[str, str], Request]]] = {
    "global_getvar": _global,
    "sched_api": _later,
    "sched_broadcast": _later,
    "uuid_broadcast": _broadcast,
    "uuid_deflect": _moved,
    "uuid_setvar": _set,
    "uuid_setvar_multi": _set,
    "uuid_transfer": _moved,
}
