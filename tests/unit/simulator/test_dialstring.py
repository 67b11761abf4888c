"""An originate line is taken apart as FreeSWITCH does it."""

from __future__ import annotations

import pytest

from dialer.simulator.dialstring import Unparsable, parse_arguments, parse_dial, parse_target, separate
from tests.unit.simulator.recordings import events


@pytest.mark.parametrize(
    ("text", "delimiter", "limit", "parts"),
    [
        ("a b  c", " ", 10, ["a", "b", "c"]),
        ("  a b ", " ", 10, ["a", "b"]),
        ("'a b' c", " ", 10, ["a b", "c"]),
        ("a 'b c", " ", 10, ["a", "'b c"]),
        ("a\\ b", " ", 10, ["a\\ b"]),
        ("it\\'s x", " ", 10, ["it's", "x"]),
        ("a,,b,", ",", 10, ["a", "", "b"]),
        ("a\\,b,c", ",", 10, ["a,b", "c"]),
        ("'a,b',c", ",", 10, ["a,b", "c"]),
        ("it's,c", ",", 10, ["it's", "c"]),
        ("a\\nb\\sc", ",", 10, ["a\nb c"]),
        (" ' a ' ,b", ",", 10, [" a ", "b"]),
        ("a:b:c:d", ":", 3, ["a", "b", "c:d"]),
        ("a:b:", ":", 3, ["a", "b"]),
        ("", ",", 10, []),
    ],
)
def test_text_is_split_at_unquoted_delimiters(text: str, delimiter: str, limit: int, parts: list[str]) -> None:
    assert separate(text, delimiter, limit) == parts


def test_recorded_variables_come_out_as_freeswitch_showed_them() -> None:
    shown = {}
    lines = []
    for _, headers in events("31-special-characters-json"):
        values = dict(headers)
        if values["Event-Name"] == "CHANNEL_HANGUP_COMPLETE":
            shown[values["Unique-ID"]] = values
        elif values["Event-Name"] == "BACKGROUND_JOB":
            lines.append(values["Job-Command-Arg"])
    compared = 0
    for line in lines:
        arguments = parse_arguments(line)
        assert arguments
        ((leg,),) = parse_dial(arguments.dial)
        variables = dict(leg.variables)
        real = shown[variables["origination_uuid"]]
        for name, value in variables.items():
            if "${" in value:
                assert f"variable_{name}" not in real
            else:
                assert real[f"variable_{name}"] == value
                compared += 1
    assert compared >= 30


def test_arguments_have_freeswitchs_defaults() -> None:
    arguments = parse_arguments("loopback/1 9000")
    assert arguments
    assert (arguments.dialplan, arguments.context, arguments.timeout) == ("XML", "default", 60)
    full = parse_arguments("loopback/1 9000 undef public 'A Name' 555 20")
    assert full
    assert (full.dialplan, full.context, full.cid_name, full.cid_number, full.timeout) == (
        "XML",
        "public",
        "A Name",
        "555",
        20,
    )


@pytest.mark.parametrize("line", ["", "loopback/1", "1 2 3 4 5 6 7 8"])
def test_too_few_or_too_many_arguments_are_a_usage_error(line: str) -> None:
    assert parse_arguments(line) is None


def test_blocks_of_variables_follow_each_other_and_legs_have_their_own() -> None:
    ((first, second), (third,)) = parse_dial("{a=1} {^^;b=x,y;c=3}[d=4]e/1,[a=9]e/2|e/3")
    assert first.variables == (("a", "1"), ("b", "x,y"), ("c", "3"), ("d", "4"))
    assert dict(second.variables)["a"] == "9"
    assert (first.endpoint, second.endpoint, third.endpoint) == ("e/1", "e/2", "e/3")


@pytest.mark.parametrize("dial", ["{a=bloopback/1", "", "{a=b}", "{a={b}loopback/1"])
def test_unclosed_brace_or_missing_endpoint_cannot_be_parsed(dial: str) -> None:
    with pytest.raises(Unparsable):
        parse_dial(dial)


def test_value_without_text_sets_nothing() -> None:
    ((leg,),) = parse_dial("{origination_uuid=,a=1}e/1")
    assert leg.variables == (("a", "1"),)


def test_application_target_ends_at_the_first_closing_parenthesis() -> None:
    assert parse_target("&playback(a(b)c)") == ("playback", "a(b")
    assert parse_target("&park") == ("park", "")
