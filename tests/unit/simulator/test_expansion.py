"""`expand` and `cond`; the contract suite compares more of them with a real FreeSWITCH."""

from __future__ import annotations

import pytest

from dialer.simulator.expansion import cond, expand


def api(command: str, argument: str) -> str:
    return cond(argument) if command == "cond" else {"strepoch": "1000", "echo": argument}.get(command, "")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("nothing", "nothing"),
        ("${name}", "value"),
        ("a${nosuch}b", "ab"),
        ("$name \\${name}", "$name ${name}"),
        ("${echo(${name})}", "value"),
        ("${echo a b}", "a b"),
        ("{a=b}${cond(${strepoch()} >= 900 ? error/X : e/1)} &park", "{a=b}error/X &park"),
        ("{a=b}${cond(${strepoch()} >= 1001 ? error/X : e/1@host:5060)} &park", "{a=b}e/1@host:5060 &park"),
        ("${unclosed", ""),
        ("it\\'s", "its"),
    ],
)
def test_text_is_expanded(text: str, result: str) -> None:
    assert expand(text, lambda name: {"name": "value"}.get(name, ""), api) == result


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("1 < 2 ? a : b", "a"),
        ("2 <= 2 ? a : b", "a"),
        ("1 > 2 ? a : b", "b"),
        ("10 >= 9 ? a : b", "a"),
        ("1 == 1.0 ? a : b", "a"),
        ("x != y ? a : b", "a"),
        ("'1' == '1' ? a", "a"),
        ("1 == 2 ? a", ""),
        ("longer > x ? a : b", "a"),
        ("1 < 2 ? h:1 : h:2", "h"),
        ("2 < 1 ? h : h:2", "h:2"),
        ("1 ~ 2 ? a : b", "-ERR"),
        ("1 < 2 a : b", "-ERR"),
        ("", "-ERR"),
    ],
)
def test_condition_chooses(condition: str, result: str) -> None:
    assert cond(condition) == result
