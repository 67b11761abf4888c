from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.esl.commands import HARMFUL_VARIABLES, OWN_VARIABLES, originate
from dialer.model import Origination
from tests.unit.esl.freeswitch_reader import Dialled, packets, read_originate

DEADLINE = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
EPOCH = int(DEADLINE.timestamp())
CALL = Origination(
    call_uuid="5ef4d61a-6e24-47a1-80c8-e96b1b147539",
    dial_string="sofia/external/15551234@192.0.2.7:5060;transport=tcp",
    account_code="dialer-inst1",
    timeout=30,
    max_duration=120,
    deadline=DEADLINE,
    outbound="127.0.0.1:8084",
)
OWN = {
    "origination_uuid": CALL.call_uuid,
    "dialer_sent": "+OK\n",
    "api_on_originate_dialer": f"hash insert/dialer-sent/{CALL.call_uuid}/1",
    "accountcode": "dialer-inst1",
    "ignore_early_media": "true",
    "originate_timeout": "30",
    "execute_on_answer": "sched_hangup +120 ALLOTTED_TIMEOUT",
    "park_timeout": "180",
    "dialer_socket": "127.0.0.1:8084",
    "dialer_wait": "60",
    "socket_resume": "true",
}
FIELDS = ["call_uuid", "account_code", "outbound", "dial_string", "caller_id_name", "caller_id_number"]
# Syntax of every level, and ordinary text, so that generated values are nearly always awkward ones.
awkward = st.text(st.sampled_from(list("\\'\",=;:{}[]()<>|^$%&@/ \t\n\r\0~!?abnrst0é☎")), max_size=24)
anything = st.one_of(awkward, st.text(max_size=24), st.sampled_from([":_:", "ARRAY::a|:b", "undef", "^^;", "${x}", "\\${x}"]))
names = st.one_of(st.text(st.sampled_from("abcXYZ019_-"), min_size=1, max_size=8), anything)


def read(call: Origination, clock: int = EPOCH - 1, offset: float = 0.0) -> Dialled:
    dialled, calls = read_originate(originate(call, timedelta(seconds=offset)).payload, clock)
    executed = 2 if call.dial_string.lower().startswith("sofia/") else 1
    mark = executed if clock < EPOCH + math.floor(offset) else 0
    fence = ["strepoch", "cond"]
    assert calls == [*fence, f"hash insert/dialer-sent/{call.call_uuid}/{mark}", *fence]
    return dialled


def change(**fields: Any) -> Origination:
    return evolve(CALL, **fields)


def test_a_call_has_its_address_its_variables_its_target_and_its_job() -> None:
    assert read(CALL) == Dialled(OWN, CALL.dial_string, ["dialer", "XML", "dialer"], CALL.call_uuid)


def test_after_the_deadline_the_switch_itself_refuses() -> None:
    assert read(CALL, clock=EPOCH - 1).address == CALL.dial_string
    assert read(CALL, clock=EPOCH).address == "error/LOSE_RACE"


def test_the_deadline_is_in_the_switchs_clock() -> None:
    assert read(CALL, clock=EPOCH + 4, offset=5.0).address == CALL.dial_string
    assert read(CALL, clock=EPOCH + 5, offset=5.9).address == "error/LOSE_RACE"


def test_without_the_shipped_dialplan_the_call_brings_its_own() -> None:
    dialled = read(change(inline=True, wait_for_dialer=7))
    assert dialled.variables == OWN | {"dialer_wait": "7", "dialer_until": "4294967295"}
    extension, dialplan = dialled.arguments
    assert (extension, dialplan[:12], dialplan[-1]) == ("dialer", "inline:'m:~:", "'")
    steps = dialplan[12:-1].split("~")
    assert [step.partition(":")[0] for step in steps] == [
        "set", "reuse_caller_profile", "${cond(${strepoch()} < 0${dialer_until} ? eval ",
        "${cond(${strepoch()} < 0${dialer_until} ? eval ", "socket", "set", "sleep", "socket", "set", "sleep", "unset", "set",
        "transfer",
    ]  # fmt: skip
    assert steps[4] == steps[7] == "socket:\\${dialer_socket} async full"
    assert "\\${expr(\\${strepoch()}+7)}" in steps[5] == steps[8]


def test_caller_names_of_people_and_companies_are_carried() -> None:
    people = ("O'Brien", "Smith, Jones & Co", "two  spaces", "Zoë Müller", "''", "50% off", "100%", "☎ 😀", "a=b;c", "[x]|(y)")
    for name in people:
        assert read(change(caller_id_name=name)).variables == OWN | {"origination_caller_id_name": name}


def test_empty_variables_are_left_out_because_freeswitch_keeps_none() -> None:
    assert read(change(variables=(("a", ""), ("b", " ")))).variables == OWN | {"b": " "}


@given(st.lists(st.tuples(names, anything), max_size=4), anything, anything)
def test_values_are_read_back_exactly_or_refused_by_name(
    variables: list[tuple[str, str]], caller_name: str, caller_number: str
) -> None:
    call = change(variables=tuple(variables), caller_id_name=caller_name, caller_id_number=caller_number)
    try:
        dialled = read(call)
    except BadValue as refused:
        fields = {"variables", "caller_id_name", "caller_id_number"} | {f"variables.{name}" for name, _ in variables}
        assert refused.field in fields
        return
    wanted = OWN | {name: value for name, value in variables if value}
    if caller_name:
        wanted["origination_caller_id_name"] = caller_name
    if caller_number:
        wanted["origination_caller_id_number"] = caller_number
    assert dialled == Dialled(wanted, CALL.dial_string, ["dialer", "XML", "dialer"], CALL.call_uuid)


@given(st.text(st.sampled_from(list("\\'\",=;:_[]()<>|^%&@/ ~!?#*+ abnrstu.é☎")), max_size=30))
def test_a_variable_without_braces_dollars_and_controls_is_always_carried(value: str) -> None:
    assert read(change(variables=(("x", value),))).variables == (OWN | {"x": value} if value else OWN)


@pytest.mark.parametrize(
    "text",
    [":_:", ":_:_:", "a:_:b", ":_:':_:", "it's :_: it's", "Origination_Nested_Vars=TRUE", "x,origination_nested_vars=true,y"],
)
def test_a_text_that_is_syntax_to_the_switch_reaches_the_callee_as_text(text: str) -> None:
    found = read(change(caller_id_name=text, variables=(("x", text),))).variables
    assert found == OWN | {"origination_caller_id_name": text, "x": text}


def test_a_name_and_its_value_do_not_make_such_a_text_together() -> None:
    for name in ("x_origination_nested_vars", "X-Origination_Nested_Vars"):
        assert read(change(variables=((name, "true"),))).variables == OWN | {name: "true"}


@given(anything)
def test_a_dial_string_is_dialled_as_it_is_or_refused(address: str) -> None:
    try:
        dialled = read(change(dial_string=address))
    except BadValue as refused:
        assert refused.field == "dial_string"
        return
    wanted = dict(OWN)
    if not address.lower().startswith("sofia/"):
        del wanted["api_on_originate_dialer"]
    assert dialled == Dialled(wanted, address, ["dialer", "XML", "dialer"], CALL.call_uuid)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("sofia/gateway/carrier/1", True),
        ("Sofia/external/1@192.0.2.7", True),
        ("user/1", False),
        ("loopback/1/default", False),
    ],
)
def test_only_what_asks_for_its_channel_at_once_is_told_from_what_was_dialled(address: str, told: bool) -> None:
    assert ("api_on_originate_dialer" in read(change(dial_string=address)).variables) == told


@given(st.sampled_from(FIELDS), anything)
def test_no_field_makes_a_second_command_or_header(field: str, value: str) -> None:
    try:
        payload = originate(change(**{field: value}), timedelta(0)).payload
    except BadValue as refused:
        assert refused.field == field
        return
    (packet,) = packets(payload)
    assert set(packet.headers) == {"job-uuid", "body"}
    assert read_originate(payload, EPOCH - 1)[0].arguments == ["dialer", "XML", "dialer"]


@pytest.mark.parametrize("field", FIELDS)
def test_line_ends_nul_and_dollar_are_refused_by_the_name_of_the_field(field: str) -> None:
    for character, name in (("\r", "CR"), ("\n", "LF"), ("\0", "NUL"), ("$", "'$'")):
        with pytest.raises(BadValue, match=re.escape(name)) as refused:
            originate(change(**{field: f"a{character}b"}), timedelta(0))
        assert refused.value.field == field


def test_half_a_character_is_refused() -> None:
    with pytest.raises(BadValue, match="caller_id_name"):
        originate(change(caller_id_name="a\ud800"), timedelta(0))


@pytest.mark.parametrize("name", sorted(OWN_VARIABLES | HARMFUL_VARIABLES))
def test_variables_of_the_dialer_cannot_be_given(name: str) -> None:
    for spelling in (name, name.upper()):
        with pytest.raises(BadValue, match="reserved"):
            originate(change(variables=((spelling, "x"),)), timedelta(0))


def test_a_variable_cannot_be_given_twice() -> None:
    with pytest.raises(BadValue, match="twice"):
        originate(change(variables=(("a", "1"), ("A", "2"))), timedelta(0))


@pytest.mark.parametrize("value", ["{", "}", "a{b}c", "ARRAY::x", " array::x", "\x1b", "\t", "x" * 4097])
def test_values_that_cannot_be_carried_exactly_are_refused(value: str) -> None:
    with pytest.raises(BadValue) as refused:
        originate(change(variables=(("note", value),)), timedelta(0))
    assert refused.value.field == "variables.note"


@pytest.mark.parametrize(
    "address", ["", "a b", "a,b", "a|b", "{x=1}a", "[x=1]a", "<x=1>a", "a)b", "a'b", "a\\b", "-x", "a:_:b"]
)
def test_dial_strings_with_syntax_are_refused(address: str) -> None:
    with pytest.raises(BadValue, match="dial_string"):
        originate(change(dial_string=address), timedelta(0))


@pytest.mark.parametrize(
    "name", ['x" <sip:evil@example.net>', "a\\", "a<b", "x%0d%0aX-Evil%3a 1", "50% apples", "50%  9", "a% -1", "%+f"]
)
def test_a_caller_name_cannot_leave_its_quotes_in_sip(name: str) -> None:
    with pytest.raises(BadValue, match="caller_id_name"):
        originate(change(caller_id_name=name), timedelta(0))


@pytest.mark.parametrize("field", ["timeout", "max_duration"])
@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_times_must_be_sensible(field: str, seconds: int) -> None:
    with pytest.raises(BadValue, match=field):
        originate(change(**{field: seconds}), timedelta(0))


def test_channel_variables_among_which_passwords_are_are_in_no_repr() -> None:
    call = change(variables=(("sip_auth_password", "hunter2"),))
    assert "hunter2" not in repr((call, originate(call, timedelta(0))))
