"""Each kind of voice application on a call in memory."""

from __future__ import annotations

import re

import pytest
import structlog
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from dialer.appdata import DEFAULT_AUDIO
from dialer.apps.context import CallContext
from dialer.apps.dial import MOST_HEADERS, headers
from dialer.errors import BadValue
from dialer.esl import bridging, commands
from dialer.interfaces import UNFINISHED, UNSERVED
from dialer.model import Contact, GatewayStatus, VoipAppType
from dialer.model.flow import Transferred
from tests.unit.apps.world import AGENTS, ANA, Apps, attempt

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK


@pytest.fixture
def apps() -> Apps:
    return Apps()


# --- PlayAudio --------------------------------------------------------------------------------------------------------------


def test_sounds_are_played_in_turn_from_the_folder_for_sounds(apps: Apps) -> None:
    apps.use(sounds="/srv/sounds/")
    apps.start(PLAY, "hello.wav!tone_stream://%(100,0,440)! bye.wav")
    assert apps.call.played() == ["/srv/sounds/hello.wav", "tone_stream://%(100,0,440)", "/srv/sounds/bye.wav"]
    assert apps.notes == {"played": "3"}


def test_the_campaigns_data_wins_over_the_applications_own(apps: Apps) -> None:
    apps.start(PLAY, "campaign.wav", "own.wav")
    assert apps.call.played() == ["campaign.wav"]


def test_the_applications_own_data_serves_when_the_campaign_has_none(apps: Apps) -> None:
    apps.start(PLAY, " ", "/abs/own.wav")
    assert apps.call.played() == ["/abs/own.wav"]


def test_without_any_data_two_tones_are_played(apps: Apps) -> None:
    apps.start(PLAY)
    assert apps.call.played() == [DEFAULT_AUDIO]


def test_an_absolute_path_from_a_campaign_is_not_played(apps: Apps) -> None:
    apps.start(PLAY, "/etc/secret.wav")
    assert apps.call.executed == []
    assert "voip_app_data" in apps.notes["error"]


def test_a_missing_sound_is_noted_and_the_rest_is_played(apps: Apps) -> None:
    apps.call.responses["playback a.wav"] = "FILE NOT FOUND"
    apps.start(PLAY, "a.wav!b.wav")
    assert apps.notes == {"played": "1", "missing": "a.wav"}


def test_a_callee_who_heard_none_of_the_sounds_was_not_served(apps: Apps) -> None:
    for name in ("a.wav", "b.wav"):
        apps.call.responses[f"playback {name}"] = "FILE NOT FOUND"
    apps.start(PLAY, "a.wav!b.wav")
    assert apps.notes == {"played": "0", "missing": "a.wav!b.wav", UNSERVED: "the switch has not got a.wav!b.wav"}


def test_a_callee_who_hangs_up_before_the_first_sound_ends_was_served(apps: Apps) -> None:
    apps.call.slow.add("playback")
    apps.start(PLAY, "a.wav")
    apps.call.end()
    assert apps.notes == {"played": "0", UNFINISHED: "the callee hung up"}


def test_a_missing_sound_is_told_once_a_minute_with_its_campaign(apps: Apps) -> None:
    apps.use(sounds="/srv/sounds")
    apps.call.responses["playback /srv/sounds/a.wav"] = "FILE NOT FOUND"
    runner = apps.runner()
    with structlog.testing.capture_logs() as lines:
        for _ in range(43):
            apps.call.driven_by = Deferred.fromCoroutine(runner.run(apps.call, attempt(PLAY, "a.wav")))
        apps.clock.advance(61)
    assert [(line["sound"], line["campaign"], line["times"]) for line in lines] == [
        ("/srv/sounds/a.wav", "spring", 1),
        ("/srv/sounds/a.wav", "spring", 42),
    ]
    assert runner.unserved == 43


@pytest.mark.parametrize(
    ("kind", "data"), [(DIAL, "911"), (DIAL, ""), (PLAY, "/etc/passwd"), (ROOM, "a b"), (SPEAK, ""), (SPEAK, "{no_such}")]
)
def test_a_callee_for_whom_the_data_says_nothing_was_not_served(apps: Apps, kind: VoipAppType, data: str) -> None:
    apps.start(kind, data)
    assert apps.notes is not None
    assert apps.notes[UNSERVED]


def test_an_error_after_the_first_sound_leaves_the_callee_served(apps: Apps) -> None:
    async def breaks(call: object, context: CallContext) -> None:
        context.notes["played"] = "1"
        raise BadValue("x", "is wrong")

    apps.applications[PLAY] = breaks  # type: ignore[assignment]
    apps.start(PLAY, "a.wav")
    assert apps.notes == {"played": "1", "error": "x: is wrong"}


def test_a_callee_who_hangs_up_ends_the_playing(apps: Apps) -> None:
    apps.call.slow.add("playback")
    apps.start(PLAY, "a.wav!b.wav")
    apps.call.complete()
    apps.call.end()
    assert apps.notes == {"played": "1", UNFINISHED: "the callee hung up"}
    assert apps.call.played() == ["a.wav", "b.wav"]


# --- Speak ------------------------------------------------------------------------------------------------------------------


def test_a_text_is_spoken_with_what_is_known_of_the_contact(apps: Apps) -> None:
    apps.start(SPEAK, "Dear {first_name} {last_name} of {city}, it is {time}|now")
    assert apps.call.executed == [("speak", "flite|slt|Dear Ana O'Neill of Lima, it is now")]
    assert apps.notes == {"spoken": "35"}


def test_engine_and_voice_are_configured(apps: Apps) -> None:
    apps.use(engine="unimrcp", voice="kal")
    apps.start(SPEAK, "Hello")
    assert apps.call.executed == [("speak", "unimrcp|kal|Hello")]


def test_the_contact_is_not_read_for_a_text_without_tags(apps: Apps) -> None:
    apps.store.away = True
    apps.start(SPEAK, "Hello")
    assert apps.notes == {"spoken": "5"}


def test_a_contact_that_was_removed_has_no_name(apps: Apps) -> None:
    apps.store.contacts.clear()
    apps.start(SPEAK, "Dear {first_name}{number}")
    assert apps.call.executed == [("speak", "flite|slt|Dear 4930123456")]


def test_nothing_to_speak_is_noted(apps: Apps) -> None:
    apps.start(SPEAK)
    assert "no text" in apps.notes["error"]


# --- Conference -------------------------------------------------------------------------------------------------------------


def test_a_room_is_joined_with_its_limit_and_profile(apps: Apps) -> None:
    apps.use(conference_profile="wideband", conference_prefix="dialer-", conference_members=9)
    apps.call.slow.add("conference")
    apps.start(ROOM, "sales")
    assert apps.call.executed == [("set", "conference_max_members=9"), ("conference", "dialer-sales@wideband")]
    apps.clock.advance(12)
    apps.call.end()
    assert apps.notes == {"conference": "dialer-sales", "conference_seconds": "12"}


@pytest.mark.parametrize("data", ["bridge:x:user/1", "a@b", "a+b", ""])
def test_what_is_no_room_is_not_joined(apps: Apps, data: str) -> None:
    apps.start(ROOM, data)
    assert apps.call.executed == []
    assert "error" in apps.notes


# --- Dial -------------------------------------------------------------------------------------------------------------------


def test_a_number_is_dialled_through_the_applications_gateway_with_its_prefixes(apps: Apps) -> None:
    apps.store.known[7] = evolve(AGENTS, addparameter="absolute_codec_string=PCMA")
    apps.start(DIAL, "+49 30-1", caller_id="4930999")
    (transfer,) = apps.call.transfers
    assert transfer.dial_string == "sofia/gateway/agents/0049301"
    assert (transfer.timeout, transfer.caller_id_number) == (30, "4930999")
    assert transfer.variables[0] == ("absolute_codec_string", "PCMA")
    assert apps.notes == {
        "transfer_to": "+49301",
        "transfer": "answered",
        "transfer_cause": "NORMAL_CLEARING",
        "transfer_seconds": "2.5",
        "transfer_ended_by": "target",
    }


def test_a_failed_transfer_is_an_outcome_and_no_error(apps: Apps) -> None:
    apps.call.transferred = Transferred(cause="USER_BUSY", answered=False)
    apps.start(DIAL, "2000")
    assert (apps.notes["transfer"], apps.notes["transfer_cause"], "error" in apps.notes) == ("failed", "USER_BUSY", False)


def test_an_administrators_address_is_dialled_as_it_is(apps: Apps) -> None:
    apps.start(DIAL, "", "user/1000", gateway_id=None)
    assert apps.call.transfers[0].dial_string == "user/1000"
    assert apps.call.transfers[0].caller_id_number == ANA.number


def test_an_address_from_a_campaign_is_not_dialled(apps: Apps) -> None:
    apps.start(DIAL, "user/1000")
    assert apps.call.transfers == []
    assert "voip_app_data" in apps.notes["error"]


@pytest.mark.parametrize("number", ["112", "+112", "00112"])
def test_an_emergency_number_is_never_dialled_nor_made_by_a_prefix(apps: Apps, number: str) -> None:
    apps.store.known[7] = evolve(AGENTS, removeprefix="00", addprefix="")
    apps.start(DIAL, number)
    assert apps.call.transfers == []
    assert "emergency" in apps.notes["error"]


def test_nothing_is_dialled_without_a_gateway_that_may_be_used(apps: Apps) -> None:
    apps.start(DIAL, "2000", gateway_id=None)
    assert "no gateway" in apps.notes["error"]
    apps.store.known[7] = evolve(AGENTS, status=GatewayStatus.INACTIVE)
    apps.start(DIAL, "2000")
    assert "inactive" in apps.notes["error"]
    assert apps.call.transfers == []


def test_a_call_that_was_transferred_before_is_not_transferred_again(apps: Apps) -> None:
    apps.call.variables["originate_disposition"] = "SUCCESS"
    apps.start(DIAL, "2000")
    assert apps.call.transfers == []
    assert apps.notes == {"transfer_cause": "SUCCESS"}


def test_the_contact_goes_along_as_sip_headers_that_cannot_hold_a_second_header(apps: Apps) -> None:
    assert dict(headers(ANA)) == {
        "sip_h_X-Contact": "4930123456",
        "sip_h_X-First-Name": "Ana",
        "sip_h_X-Last-Name": "O Neill",
        "sip_h_X-City": "Lima",
        "sip_h_X-Vip-Level": "gold  X-Evil: 1",
    }


DEAD_DATA = [
    "ARRAY::a",
    "ARRAY::a|:b",
    "array::",
    " ARRAY::ARRAY::a",
    "^^",
    "^^:a:b",
    "@",
    "@/etc/passwd",
    "{}",
    "{a=b}c",
    "[leg_timeout=1]x",
    "<enterprise>",
    "a:_:b",
    ":_:_:_:",
    "Origination_Nested_Vars=True",
    "${uuid}",
    "$${x}",
    "%[a=b]",
    "a,b|c",
    "\\",
    "'",
    '"',
    "\ud800",
    "x\r\nX-Evil: 1",
    "\0",
    "\u202e",
    "ﬁ" * 5000,
]


def carried(contact: Contact) -> str:
    """The command with which the contact is put through."""
    apps = Apps()
    apps.store.contacts[1] = contact
    apps.start(DIAL, "2000")
    assert apps.notes is not None
    assert "error" not in apps.notes
    (transfer,) = apps.call.transfers
    return bridging.argument(transfer)


@pytest.mark.parametrize("value", DEAD_DATA)
def test_whatever_a_contact_is_called_the_callee_is_connected(value: str) -> None:
    contact = Contact(number="1", first_name=value, last_name=value, additional_vars={value: value, "b": value})
    argument = carried(contact)
    assert argument.count("{") == argument.count("}") == 1
    assert not re.search(r"[\r\n\0$]|:_:|=ARRAY::", argument, re.IGNORECASE)


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=5))
def test_any_text_about_a_contact_is_carried(first: str, number: str, more: dict[str, str]) -> None:
    carried(Contact(number=number, first_name=first, last_name=first[::-1], additional_vars=more))


@pytest.mark.parametrize("value", DEAD_DATA)
def test_whatever_a_contact_is_called_a_text_is_spoken(apps: Apps, value: str) -> None:
    apps.store.contacts[1] = Contact(number="1", first_name=value)
    apps.start(SPEAK, "{first_name}, hello")
    ((application, argument),) = apps.call.executed
    assert commands.execute(application, argument, "ev-1")


def test_names_of_people_are_carried_as_they_are() -> None:
    for name in ("Ana-María", "d'Arc"[2:], "Lê Thị", "Müller & Co. (Array)", "José, 2nd", "50% off", "a::b", "x=y|z^w~"):
        assert dict(headers(Contact(number="1", first_name=name)))["sip_h_X-First-Name"] == name


def test_headers_are_few_and_short() -> None:
    many = Contact(number="1", additional_vars={f"name{index}": "x" * 1000 for index in range(100)})
    assert len(headers(many)) == MOST_HEADERS
    assert max(len(value) for _, value in headers(many)) == 200


def test_a_gateways_parameter_wins_over_a_header_of_the_same_name(apps: Apps) -> None:
    apps.store.known[7] = evolve(AGENTS, addparameter="sip_h_x-contact=ours")
    apps.start(DIAL, "2000")
    names = [name.lower() for name, _ in apps.call.transfers[0].variables]
    assert names.count("sip_h_x-contact") == 1
