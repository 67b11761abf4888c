"""`expand`: variables and API calls in the text of an API command; `cond`, the choice between two texts.

Read from `switch_event_expand_headers_check` (switch_event.c), `expand_function` and `cond_function` (mod_commands.c).
Recording 37 shows how a dial deadline is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dialer.simulator.dialstring import separate

_PLAIN = re.compile(r"[^$\\]+")
_NUMBER = re.compile(r"[-+]?\d*\.?\d*")
_OPERATOR = re.compile(r"\s*(==|!=|>=|<=|>|<)(.)\s*", re.DOTALL)

Variable = Callable[[str], str]
Api = Callable[[str, str], str]


def expand(text: str, variable: Variable, api: Api) -> str:
    """Replace each `${name}` by the variable's value, each `${command(argument)}` or `${command argument}` by the command's
    output; both may be nested. `\\$` stands for a dollar sign. An unknown variable is empty."""
    out: list[str] = []
    i = 0
    while i < len(text):
        plain = _PLAIN.match(text, i)
        if plain:
            out.append(plain[0])
            i = plain.end()
        elif text[i] == "\\" and text[i + 1 : i + 2] in ("$", "'", "\\"):
            out.append("" if text[i + 1] == "'" else text[i + 1])
            i += 2
        elif text.startswith("${", i):
            inner, i = _inside(text, i + 2)
            out.append(_value(inner, variable, api))
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def _inside(text: str, start: int) -> tuple[str, int]:
    """The text between the braces, and where it goes on. Without a closing brace, all the rest."""
    depth = 1
    for i in range(start, len(text)):
        if text[i] == "{" and i != start:
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if not depth:
                return text[start:i], i + 1
    return text[start:], len(text)


def _value(inner: str, variable: Variable, api: Api) -> str:
    cut = min((at for at in (inner.find(" "), inner.find("(")) if at >= 0), default=-1)
    if cut < 0:
        return variable(expand(inner, variable, api))
    name, rest = inner[:cut].rstrip(" "), inner[cut + 1 :]
    if inner[cut] == "(":
        rest = _to_closing(rest)
    return api(expand(name, variable, api), expand(rest, variable, api))


def _to_closing(text: str) -> str:
    depth = 1
    for i, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return text[:i]
    return text


def cond(text: str) -> str:
    """`A op B ? yes : no`. Numbers are compared as numbers; otherwise == and != compare texts, the rest lengths. The
    choices are split at `:` into at most two, so that a `:` in the first one ends it, and one in the last is kept."""
    left, left_quoted, rest = _operand(text)
    operator = _OPERATOR.match(rest)
    if left is None or not operator:
        return "-ERR"
    right, right_quoted, rest = _operand(rest[operator.end() :])
    rest = rest.lstrip()
    if right is None or not rest.startswith("?"):
        return "-ERR"
    choices = separate(":" + rest[1:], ":", 3)
    if not 2 <= len(choices) <= 3:
        return "-ERR"
    true = _compare(operator[1], left, right, _is_number(left) and not left_quoted, _is_number(right) and not right_quoted)
    if not true and len(choices) == 2:
        return ""
    return choices[1] if true else choices[2]


def expr(text: str) -> str:
    """The sum of some whole numbers; of what mod_expr can do beside that, nothing."""
    terms = [term.strip(" ") for term in text.split("+")]
    return str(sum(map(int, terms))) if all(term.isdecimal() for term in terms) else "!err!"


def _operand(text: str) -> tuple[str | None, bool, str]:
    """The operand at the beginning: its value (None when there is none), whether it was quoted, what follows."""
    if text.startswith("'"):
        quoted = re.match(r"'((?:\\[\\']|[^'])*)'(?=\s)", text)
        return (quoted[1], True, text[quoted.end() :]) if quoted else (None, True, "")
    value, blank, rest = text.partition(" ")
    return (value if blank else None), False, rest


def _is_number(text: str) -> bool:
    return bool(text) and _NUMBER.fullmatch(text) is not None


def _compare(operator: str, left: str, right: str, left_number: bool, right_number: bool) -> bool:
    if not left_number and not right_number and operator in ("==", "!="):
        return (left == right) == (operator == "==")
    a = _float(left) if left_number else float(len(left))
    b = _float(right) if right_number else float(len(right))
    return {"==": a == b, "!=": a != b, ">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[operator]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
