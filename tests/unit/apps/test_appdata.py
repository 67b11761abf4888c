"""What the data of a voice application may be, by kind and by who enters it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import appdata
from dialer.errors import BadValue
from dialer.model import VoipAppType

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK

FOR_EVERYBODY = [
    (DIAL, "2000"),
    (DIAL, "+49 (30) 123-456"),
    (DIAL, "*97"),
    (PLAY, "hello.wav"),
    (PLAY, "en/us/hello world.WAV ! tone_stream://%(500,500,440,480);loops=2!silence_stream://500"),
    (PLAY, "greeting"),
    (ROOM, "sales-1"),
    (SPEAK, "Hello {first_name}, it's 5 o'clock: 100% off! (really)"),
    *((kind, "") for kind in VoipAppType),
]
FOR_ADMINS = [
    (DIAL, "user/1000"),
    (DIAL, "loopback/answer/default"),
    (DIAL, "sofia/gateway/carrier/15551234"),
    (PLAY, "/var/sounds/hello.wav"),
    (PLAY, "local_stream://moh"),
    (PLAY, "http_cache://http://127.0.0.1/hello.wav"),
]
FOR_NOBODY = [
    (DIAL, "user/1000,user/1001"),
    (DIAL, "user/1000|user/1001"),
    (DIAL, "[leg_timeout=1]user/1000"),
    (DIAL, "{origination_caller_id_number=1}2000"),
    (DIAL, "user/1000:_:user/1001"),
    (DIAL, "sales"),
    (DIAL, "1000 XML default"),
    (PLAY, "shell_stream://rm -rf /"),
    (PLAY, "SHELL_STREAM://id"),
    (PLAY, "../../etc/passwd"),
    (PLAY, "a/../b.wav"),
    (PLAY, ".hidden.wav"),
    (PLAY, "script.lua"),
    (PLAY, "id.shell_stream"),
    (PLAY, "{modname=mod_shell_stream}x.wav"),
    (PLAY, "say:hello"),
    (PLAY, "phrase:x"),
    (PLAY, "tone_stream://path=/etc/passwd"),
    (PLAY, "tone_stream://%(1,1,1);PATH=/etc/passwd"),
    (PLAY, "tone_stream://"),
    (PLAY, "tone_stream://;;"),
    (PLAY, "tone_stream://%(100,0)"),
    (PLAY, "tone_stream://%(100,0,440"),
    (PLAY, "tone_stream://%(100,0,440);c=0;%(59000,0,440)"),
    (PLAY, "tone_stream://r=999;%(100,0,440)"),
    (PLAY, "tone_stream://l=-1;%(100,0,440)"),
    (PLAY, "tone_stream://%(100,0,440);loops=2;%(100,0,440)"),
    (PLAY, "tone_stream://%(60001,0,440)"),
    (PLAY, "tone_stream://%(30000,1,440)%(30000,0,440)"),
    (PLAY, "tone_stream://L=601;%(100,0,440)"),
    (PLAY, "tone_stream://l=601;%(100,0,440)"),
    (PLAY, "tone_stream://d=60000;1"),
    (PLAY, "tone_stream://" + "1" * 25),
    (PLAY, "tone_stream://%(9999999999,0,440)"),
    (PLAY, "tone_stream://%(1,1" + ",440" * 18 + ")"),
    (PLAY, "silence_stream://x"),
    (PLAY, "!"),
    (PLAY, "!".join(["a.wav"] * 101)),
    (PLAY, "hello.wav'"),
    (ROOM, "bridge:x:user/1000"),
    (ROOM, "sales@default"),
    (ROOM, "sales+1234"),
    (ROOM, "a" * 65),
    (ROOM, "two words"),
    (SPEAK, "x" * 2001),
    *((kind, "${system id}") for kind in VoipAppType),
    *((kind, "a\nb") for kind in VoipAppType),
    *((kind, "`id`") for kind in VoipAppType),
]


@pytest.mark.parametrize(("kind", "text"), FOR_EVERYBODY)
def test_what_a_kind_can_serve_is_accepted(kind: VoipAppType, text: str) -> None:
    appdata.check_data(kind, text)
    appdata.check_data(kind, text, by_admin=True)


@pytest.mark.parametrize(("kind", "text"), FOR_ADMINS)
def test_an_administrator_may_name_more(kind: VoipAppType, text: str) -> None:
    appdata.check_data(kind, text, by_admin=True)
    with pytest.raises(BadValue):
        appdata.check_data(kind, text)


@pytest.mark.parametrize(("kind", "text"), FOR_NOBODY)
def test_syntax_for_the_switch_is_refused_by_name(kind: VoipAppType, text: str) -> None:
    for by_admin in (False, True):
        with pytest.raises(BadValue, match=r"^data: ") as refused:
            appdata.check_data(kind, text, by_admin=by_admin, field="data")
        assert refused.value.field == "data"


def test_a_format_is_played_only_when_the_installation_allows_it() -> None:
    assert appdata.parse_sounds("local_stream://moh", by_admin=True, formats={"local_stream"}) == ["local_stream://moh"]
    for formats in ((), {"shell_stream"}):
        with pytest.raises(BadValue):
            appdata.parse_sounds("local_stream://moh", by_admin=True, formats=formats)
    with pytest.raises(BadValue):
        appdata.parse_sounds("shell_stream://id", by_admin=True, formats={"shell_stream"})


@given(st.text(max_size=60))
def test_what_a_user_may_play_can_neither_leave_the_folder_nor_choose_a_format(text: str) -> None:
    try:
        sounds = appdata.parse_sounds(text)
    except BadValue:
        return
    for sound in sounds:
        if "://" in sound:
            assert sound.split("://")[0].lower() in ("tone_stream", "silence_stream")
        else:
            assert re.fullmatch(r"[A-Za-z0-9_ ./-]+", sound)
            assert not sound.startswith(("/", "."))
            assert ".." not in sound.split("/")


def test_tags_are_filled_in_and_unknown_ones_are_nothing() -> None:
    text = appdata.filled_in("Dear {First_Name} { city }, {nothing}bye", {"first_name": "Ana", "City": "Lima"})
    assert text == "Dear Ana Lima, bye"


def test_a_value_is_not_looked_at_for_tags() -> None:
    assert appdata.filled_in("{a}", {"a": "{b}", "b": "secret"}) == "b"


@given(st.text(max_size=80), st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=80)))
def test_what_is_spoken_holds_no_syntax(template: str, tags: dict[str, str]) -> None:
    text = appdata.filled_in(template + "{a}{b}", tags)
    assert not re.search(r"[\x00-\x1f\x7f$\\|{}<>`^\[\]]", text)
    assert len(text) <= appdata.LONGEST_TEXT
    assert max(map(len, text.split(" "))) <= appdata.LONGEST_WORD


@pytest.mark.parametrize(
    ("word", "spoken"), [("." * 90, [40, 40, 10]), ("é" * 80, [40, 40]), ("a" * 40, [40]), ("1" * 5000, [40] * 48)]
)
def test_a_word_that_is_too_long_for_an_engine_gets_blanks(word: str, spoken: list[int]) -> None:
    assert [len(part) for part in appdata.filled_in(word, {}).split(" ")][: len(spoken)] == spoken


def test_a_spoken_text_is_cut_to_its_limit() -> None:
    assert len(appdata.filled_in("{a}", {"a": "word " * 5000})) <= appdata.LONGEST_TEXT
