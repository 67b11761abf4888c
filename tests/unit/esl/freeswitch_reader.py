"""How FreeSWITCH reads `bgapi expand originate ...`, written from its C source and sharing nothing with `dialer.esl`.

read_packet, parse_command (mod_event_socket.c); expand_function, cond_function, originate_function (mod_commands.c);
switch_event_expand_headers_check, switch_event_create_brackets, switch_event_base_add_header (switch_event.c);
switch_separate_string, cleanup_separated_string, switch_find_end_paren (switch_utils.c); switch_ivr_originate.
"""

from __future__ import annotations

from attrs import frozen

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


@frozen
class Packet:
    command: str
    headers: dict[str, str]


@frozen
class Dialled:
    variables: dict[str, str]
    address: str
    arguments: list[str]
    job_uuid: str


def packets(stream: bytes) -> list[Packet]:
    """Cut a stream of commands: an empty line ends one; a `content-length` takes that many bytes after it."""
    found = []
    rest = stream
    while rest:
        if rest[:1] in (b"\r", b"\n"):
            rest = rest[1:]
            continue
        block, _, rest = rest.replace(b"\r", b"").partition(b"\n\n")
        first, *others = block.decode().split("\n")
        headers = {}
        for line in others:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.lower()] = value.lstrip(" ")
        body = int(headers.get("content-length", "0"))
        headers["body"] = rest[:body].decode()
        rest = rest[body:]
        found.append(Packet(first, headers))
    return found


def separate(text: str, delimiter: str, limit: int) -> list[str]:
    """switch_separate_string."""
    if text.startswith("^^") and len(text) > 3:
        delimiter, text = text[2], text[3:]
    cut = separate_at_blanks(text, limit) if delimiter == " " else separate_at(text, delimiter, limit)
    return [cleaned(part, "" if delimiter == " " else delimiter) for part in cut]


def separate_at(text: str, delimiter: str, limit: int) -> list[str]:
    parts: list[str] = []
    position, start, quoted = 0, 0, False
    while position < len(text) and len(parts) < limit - 1:
        character = text[position]
        if character == "\\":
            position += 1
        elif character == "'" and (quoted or "'" in text[position + 1 :]):
            quoted = not quoted
        elif character == delimiter and not quoted:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return parts + ([text[start:]] if start < len(text) else [])


def separate_at_blanks(text: str, limit: int) -> list[str]:
    parts: list[str] = []
    position, quoted = 0, False
    while position < len(text) and len(parts) < limit:
        while position < len(text) and text[position] == " ":
            position += 1
        start = position
        while position < len(text):
            character = text[position]
            if character == "\\":
                position += 1
            elif character == "'":
                quoted = not quoted
            elif character == " " and not quoted:
                break
            position += 1
        parts.append(text[start:position])
        while position < len(text) and text[position] == " ":
            position += 1
    return parts


def cleaned(text: str, delimiter: str) -> str:
    """cleanup_separated_string: unescape once, drop quotes, trim blanks that were neither quoted nor escaped."""
    text = text.lstrip(" ")
    out: list[str] = []
    keep, position, quoted = 0, 0, False
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character == "\\" and following and (following in "'\"\\" or following == delimiter or following in ESCAPES):
            special = following in "'\"\\" or following == delimiter
            out.append(following if special else ESCAPES[following])
            keep = len(out)
            position += 2
            continue
        if character == "'" and (quoted or "'" in text[position + 1 :]):
            quoted = not quoted
            if quoted:
                keep = len(out)
        else:
            out.append(character)
            if character != " " or quoted:
                keep = len(out)
        position += 1
    return "".join(out[:keep])


def matching(text: str, opening: str, closing: str) -> int:
    """switch_find_end_paren: the index of the end, whatever is quoted; -1 when there is none."""
    depth = 0
    for index, character in enumerate(text):
        if character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                return index
    return -1


def expanded(text: str, clock: int, calls: list[str]) -> str:
    """switch_event_expand_headers_check; every function that is called is noted in `calls`."""
    out: list[str] = []
    position = 0
    while position < len(text):
        character, following = text[position], text[position + 1 : position + 2]
        if character == "\\" and following == "$":
            out.append("$")
            position += 2
        elif character == "\\" and following == "'":
            position += 2
        elif character == "\\" and following == "\\":
            out.append("\\")
            position += 2
        elif character == "$" and following == "{":
            end = position + 1 + matching(text[position + 1 :], "{", "}")
            out.append(called(text[position + 2 : end], clock, calls))
            out.append(text[end + 1 : end + 2])  # the character after it is copied as it is
            position = end + 2
        else:
            out.append(character)
            position += 1
    return "".join(out)


def called(expression: str, clock: int, calls: list[str]) -> str:
    name, _, rest = expression.partition("(")
    if " " in name or not _:
        calls.append(f"variable {expression}")
        return ""
    argument = expanded(rest[: matching("(" + rest, "(", ")") - 1], clock, calls).strip()
    calls.append(f"{name} {argument}" if name == "hash" else name)
    if name == "strepoch":
        return str(clock)
    if name == "hash":
        return "+OK\n"
    return conditional(argument) if name == "cond" else "INVALID COMMAND!"


def conditional(argument: str) -> str:
    left, operator, right, rest = argument.split(" ", 3)
    assert operator == ">="
    assert rest.startswith("?")
    branches = separate(":" + rest[1:], ":", 3)
    assert branches[0] == ""
    chosen = branches[1:] if float(left) >= float(right) else branches[2:]
    return chosen[0] if chosen else ""


def bracketed(text: str) -> tuple[dict[str, str], str]:
    """switch_event_create_brackets for one `{...}`, and what follows it."""
    end = matching(text, "{", "}")
    assert end > 0
    variables: dict[str, str] = {}
    for element in separate(text[1:end], ",", 1024):
        pair = separate(element, "=", 2)
        if len(pair) == 2 and pair[1]:
            assert not pair[1].startswith("ARRAY::")
            assert "[" not in pair[0]
            variables[pair[0]] = pair[1]
    return variables, text[end + 1 :]


def read_originate(payload: bytes, clock: int) -> tuple[Dialled, list[str]]:
    """What FreeSWITCH dials for these bytes when its clock shows `clock`, and the functions it called on the way."""
    (packet,) = packets(payload)
    verb, function, inner, line = packet.command.split(" ", 3)
    assert (verb, function, inner) == ("bgapi", "expand", "originate")
    calls: list[str] = []
    arguments = separate(expanded(line, clock, calls), " ", 10)
    assert 2 <= len(arguments) <= 7
    leg = arguments[0]
    assert ":_:" not in leg
    assert "origination_nested_vars=true" not in leg.lower()
    assert leg.startswith("{")
    variables, rest = bracketed(leg)
    assert not rest.startswith(("{", "<", "[", " "))
    (alternative,) = separate(rest, "|", 128)
    (address,) = separate(alternative, ",", 128)
    return Dialled(variables, address, arguments[1:], packet.headers["job-uuid"]), calls
