"""How FreeSWITCH takes an `originate` line apart: arguments, channel variables, legs, and where each leg
leads.

Read from `switch_separate_string` (switch_utils.c), `switch_event_create_brackets` (switch_event.c), `originate_function`
(mod_commands.c) and `switch_ivr_originate`; recordings 30 and 31 show the outcome.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import cache

from attrs import frozen

from dialer.simulator.causes import named

_ORDINARY = re.compile(r"[^\\']+")
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
MAX_ARGUMENTS = 10

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]"
    " [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)


class Unparsable(Exception):
    """The dial string cannot be taken apart: FreeSWITCH answers DESTINATION_OUT_OF_ORDER."""


@frozen
class Arguments:
    """The arguments of `originate`: `target` is `&application(argument)` or an extension of `dialplan` and `context`."""

    dial: str
    target: str
    dialplan: str = "XML"
    context: str = "default"
    cid_name: str = ""
    cid_number: str = ""
    timeout: int = 60


@frozen
class Leg:
    """One endpoint to call, such as `sofia/gateway/carrier/5551000`, with its channel variables."""

    endpoint: str
    variables: tuple[tuple[str, str], ...]


def separate(text: str, delimiter: str, limit: int) -> list[str]:
    """Split at an unquoted delimiter into at most `limit` parts, the last of which keeps the rest. Backslash escapes, single
    quotes group; quotes, escapes and outer blanks are removed from the parts. A lone quote is an ordinary character,
    except where the delimiter is a blank: there it groups to the end."""
    blank = delimiter == " "
    if blank:
        text = text.lstrip(" ")
    parts: list[str] = []
    start = 0
    quoted = False
    for found in _special(delimiter).finditer(text):
        mark = found[0]
        if mark[0] == "\\":
            continue
        if mark == "'":
            if blank or quoted or "'" in text[found.end() :]:
                quoted = not quoted
        elif not quoted:
            if len(parts) == limit - 1:
                break
            parts.append(text[start : found.start()])
            start = found.end()
    if start < len(text):
        parts.append(text[start:])
    return [_cleaned(part, "" if blank else delimiter) for part in parts]


@cache
def _special(delimiter: str) -> re.Pattern[str]:
    """Escapes, quotes and delimiters; blanks count as one."""
    return re.compile(r"\\.?|'|" + (" +" if delimiter == " " else re.escape(delimiter)), re.DOTALL)


def _cleaned(text: str, delimiter: str) -> str:
    text = text.lstrip(" ")
    if "'" not in text and "\\" not in text:
        return text.rstrip(" ")
    kept = ""
    end = 0  # what follows is unquoted trailing blanks
    quoted = False
    i = 0
    while i < len(text):
        char, following = text[i], text[i + 1 : i + 2]
        if char == "\\":
            if following and (following in "'\"\\" or following == delimiter):
                kept += following
                i += 1
            elif following in _UNESCAPED:
                kept += _UNESCAPED[following]
                i += 1
            else:
                kept += char
            end = len(kept)
            i += 1
        elif char == "'" and (quoted or "'" in text[i + 1 :]):
            quoted = not quoted
            if quoted:
                end = len(kept)
            i += 1
        else:
            run = _ORDINARY.match(text, i)
            piece = run[0] if run else char
            kept += piece
            end = len(kept) if quoted else len(kept) - (len(piece) - len(piece.rstrip(" "))) if piece.strip(" ") else end
            i += len(piece)
    return kept[:end] if end else kept


def parse_arguments(line: str) -> Arguments | None:
    """The arguments of an originate line; None when they are too few or too many (FreeSWITCH shows the usage)."""
    given = separate(line, " ", MAX_ARGUMENTS)
    if not 2 <= len(given) <= 7:
        return None
    given = ["" if word.lower() == "undef" else word for word in given] + [""] * (7 - len(given))
    dial, target, dialplan, context, cid_name, cid_number, timeout = given
    return Arguments(
        dial=dial,
        target=target,
        dialplan=dialplan or "XML",
        context=context or "default",
        cid_name=cid_name,
        cid_number=cid_number,
        timeout=leading_int(timeout, 60) if timeout else 60,
    )


def leading_int(text: str, default: int = 0) -> int:
    """The number that the text begins with, as C's atoi reads it."""
    text = text.strip()
    sign = -1 if text[:1] == "-" else 1
    digits = text.lstrip("+-")
    digits = digits[: len(digits) - len(digits.lstrip("0123456789"))]
    return sign * int(digits) if digits else default


def _end_of_brackets(text: str, opening: str, closing: str) -> int:
    depth = 0
    for found in re.finditer(f"[{re.escape(opening + closing)}]", text):
        depth += 1 if found[0] == opening else -1
        if not depth:
            return found.start()
    raise Unparsable(text)


def take_variables(text: str, opening: str, closing: str) -> tuple[list[tuple[str, str]], str]:
    """The variables of one or more bracketed blocks at the beginning of the text, and what follows them.

    `^^X` at the beginning of a block makes X the separator from there on, for the following blocks too.
    """
    variables: list[tuple[str, str]] = []
    separator = ","
    while text.startswith(opening):
        end = _end_of_brackets(text, opening, closing)
        block, text = text[1:end], text[end + 1 :]
        if block.startswith("^^"):
            separator, block = block[2:3], block[3:]
        for item in separate(block, separator, 1024) if separator else []:
            pair = separate(item, "=", 2)
            if len(pair) == 2:
                variables.append((pair[0], pair[1]))
        if text.lstrip(" ").startswith(opening):
            text = text.lstrip(" ")
    return variables, text


def parse_dial(dial: str) -> list[list[Leg]]:
    """The legs of a dial string: groups that are tried one after the other (`|`), each of legs that are called at the same
    time (`,`). Raises Unparsable."""
    shared: list[tuple[str, str]] = []
    text = dial.lstrip(" ")
    for opening, closing in (("<", ">"), ("{", "}")):
        found, text = take_variables(text, opening, closing)
        shared += found
    text = text.lstrip(" ")
    if not text:
        raise Unparsable(dial)
    groups = []
    for group in split_outside(text, "|"):
        legs = []
        for leg in split_outside(group, ","):
            # Each name once, with its last value.
            own, endpoint = take_variables(leg.strip(" "), "[", "]")
            legs.append(Leg(endpoint.strip(" "), tuple(dict([*shared, *own]).items())))
        groups.append(legs)
    return groups


def split_outside(text: str, delimiter: str) -> list[str]:
    """Split where the delimiter stands outside of square brackets."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == delimiter and depth <= 0:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]]


def parse_target(target: str) -> tuple[str, str]:
    """The application and argument of `&application(argument)`."""
    application = target[1:].partition(")")[0]
    name, _, argument = application.partition("(")
    return name, argument


@frozen
class Destination:
    """A leg's destination. `problem` is the cause with which FreeSWITCH refuses it without dialling; with `session` it had
    begun a session for it, whose CHANNEL_DESTROY is seen."""

    family: str = ""
    number: str = ""
    name: str = ""
    gateway: str = ""
    profile: str = ""
    host: str = "127.0.0.1:5090"
    problem: str = ""
    session: bool = False


def parse_endpoint(text: str, invalid_gateways: Container[str], gateways_down: Container[str] = ()) -> Destination:
    """The endpoint of a leg, such as `sofia/gateway/carrier/5551000`, `sofia/external/5551000@192.0.2.1:5060`,
    `loopback/5551000/default` or `error/USER_BUSY`. Causes as recording 30 shows them."""
    kind, slash, rest = text.partition("/")
    kind = kind.lower()  # endpoint_hash of switch_loadable_module.c ignores case
    if kind == "error":
        return Destination(problem=named(rest) or "NORMAL_CLEARING")
    if kind == "user":
        return Destination(problem="SUBSCRIBER_ABSENT")
    if kind == "loopback" and rest:
        number = rest.partition("/")[0]
        return Destination(family="loopback-a", number=number, name=f"loopback/{number}-a")
    if kind == "null" and slash:
        return Destination(family="sofia", number=rest, name=f"null/{rest}")
    if kind == "sofia":
        return _sofia(rest, invalid_gateways, gateways_down)
    return Destination(problem="CHAN_NOT_IMPLEMENTED")


def _sofia(text: str, invalid_gateways: Container[str], gateways_down: Container[str]) -> Destination:
    profile, slash, destination = text.partition("/")
    if not slash:
        return Destination(problem="INVALID_URL", session=True)
    if profile == "gateway":
        gateway, _, number = destination.partition("/")
        if gateway in invalid_gateways or not gateway:
            return Destination(problem="INVALID_GATEWAY", session=True)
        if gateway in gateways_down:
            return Destination(problem="GATEWAY_DOWN", session=True)
        if not number:
            return Destination(problem="INVALID_URL", session=True)
        return Destination(family="sofia", number=number, name=f"sofia/internal/{number}", gateway=gateway, profile="gateway")
    if profile not in ("internal", "external"):
        return Destination(problem="INVALID_PROFILE", session=True)
    target = destination.removeprefix("sip:")
    number, _, host = target.partition("@")
    if not number:
        return Destination(problem="INVALID_URL", session=True)
    return Destination(
        family="sofia", number=number, name=f"sofia/{profile}/{target}", profile=profile, host=host or "127.0.0.1"
    )
