"""Whatever a voice application has dialled passes the gate at that very moment, and counts in the limits of its gateway."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from dialer.apps.context import CallContext
from dialer.calls.register import OpenAttempts
from dialer.campaigns.limits import GatewayRates
from dialer.campaigns.second_legs import CountedLegs
from dialer.errors import BadValue
from dialer.esl import bridging, commands
from dialer.interfaces import UNSERVED
from dialer.model import CallRules, VoipAppType
from dialer.model.flow import Transfer
from dialer.numbering import numbering
from tests.fakes.calls import MemoryCall
from tests.unit.apps.world import AGENTS, ANA, Apps
from tests.unit.builders import NOON

DIAL, PLAY = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO
FORBIDDEN = "0900666777"


@pytest.fixture
def apps() -> Apps:
    return Apps()


def own(apps: Apps, *done: tuple[str, str] | Transfer) -> dict[str, str]:
    """An own application that does all of this, one after the other; a refusal of one does not keep it from the next."""

    async def app(call: Any, context: CallContext) -> None:
        for one in done:
            try:
                await (call.bridge(one) if isinstance(one, Transfer) else call.execute(*one))
            except BadValue as error:
                context.notes["refused"] = str(error)

    apps.applications[PLAY] = app
    apps.start(PLAY)
    assert apps.notes is not None
    return apps.notes


def written(call: MemoryCall) -> bytes:
    """All bytes of what the switch was asked for."""
    sent = [commands.execute(name, argument, "ev-1").payload for name, argument in call.executed]
    return b"".join(sent + [bridging.argument(transfer).encode() for transfer in call.transfers])


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (CallRules(whitelist=frozenset({"49"})), "is not on the whitelist of this user"),
        (CallRules(blacklist=frozenset({"0900"})), "is on the blacklist of this user"),
        (CallRules(do_not_call=frozenset({FORBIDDEN})), "is on the do-not-call list"),
    ],
)
def test_a_rule_that_was_made_meanwhile_keeps_the_second_leg_from_being_dialled(
    apps: Apps, rules: CallRules, reason: str
) -> None:
    apps.store.rules = rules
    apps.start(DIAL, FORBIDDEN)
    assert apps.call.transfers == []
    assert apps.notes is not None
    assert apps.notes["error"].endswith(reason)
    assert apps.notes[UNSERVED]
    assert apps.store.asked == [(1, (FORBIDDEN, f"00{FORBIDDEN}"))]


def test_an_administrators_address_passes_the_gate_too(apps: Apps) -> None:
    apps.store.rules = CallRules(whitelist=frozenset({"49"}))
    apps.start(DIAL, "", f"loopback/{FORBIDDEN}/default/XML", gateway_id=None)
    assert apps.call.transfers == []
    apps.start(DIAL, "", "user/1000", gateway_id=None)
    assert [transfer.dial_string for transfer in apps.call.transfers] == ["user/1000"]


def test_nothing_is_dialled_while_nobody_can_tell_whether_it_may_be(apps: Apps) -> None:
    apps.store.away = True
    assert own(apps, Transfer(dial_string="sofia/gateway/x/4930", timeout=5))["error"] == "locked"
    assert apps.call.transfers == []


ATTACKS = [
    ("bridge", f"sofia/gateway/x/{FORBIDDEN}"),
    ("bridge", f"user/1,sofia/gateway/x/{FORBIDDEN}"),
    ("bridge", f"user/1|loopback/{FORBIDDEN}/default/XML"),
    ("bridge", f"user/1:_:sofia/external/{FORBIDDEN}@carrier"),
    ("bridge", f"{{a=b}}sofia/gateway/x/{FORBIDDEN}"),
    ("BRIDGE", f"[a=b]sofia/gateway/x/{FORBIDDEN}"),
    ("att_xfer", f"sofia/gateway/x/{FORBIDDEN}"),
    ("deflect", f"sip:{FORBIDDEN}@carrier"),
    ("redirect", f"sip:{FORBIDDEN}@carrier"),
    ("redirect", f"sip:4930@carrier,sip:{FORBIDDEN}@carrier"),
    ("deflect", f"loopback/{FORBIDDEN}/default/XML"),
    ("transfer", FORBIDDEN),
    ("transfer", "0900-666777"),
    ("transfer", f"-bleg {FORBIDDEN} XML default"),
    ("transfer", f"'bridge:sofia/gateway/x/{FORBIDDEN}' inline"),
    ("execute_extension", f"{FORBIDDEN} XML default"),
    ("sched_transfer", f"+1 {FORBIDDEN} XML default"),
    ("bind_meta_app", f"1 b s transfer::{FORBIDDEN} XML default"),
    ("bind_digit_action", f"x,1,exec:bridge,sofia/gateway/x/{FORBIDDEN}"),
    ("conference", f"bridge:room:sofia/gateway/x/{FORBIDDEN}"),
    ("set", f"api_hangup_hook=originate loopback/{FORBIDDEN} &park"),
    ("export", f"nolocal:execute_on_answer=transfer {FORBIDDEN}"),
    ("multiset", f"^^~a=b~transfer_after_bridge={FORBIDDEN}:XML:default"),
    ("export", f"sip_h_P-Asserted-Identity=<sip:{FORBIDDEN}@example.org>"),
    ("set", f"effective_caller_id_number={FORBIDDEN}"),
    ("lua", f"dial.lua {FORBIDDEN}"),
    Transfer(dial_string=f"sofia/gateway/x/{FORBIDDEN}", timeout=5),
    Transfer(dial_string=f"sofia/gateway/x/{FORBIDDEN}", timeout=5, number="4930", gateway=AGENTS),
    Transfer(dial_string="user/1", timeout=5, variables=(("sip_from_user", FORBIDDEN),)),
    Transfer(dial_string="user/1", timeout=5, variables=(("api_on_answer", f"originate loopback/{FORBIDDEN}"),)),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_no_way_around_the_gate_reaches_the_switch(apps: Apps, attack: tuple[str, str] | Transfer) -> None:
    apps.store.rules = CallRules(whitelist=frozenset({"49"}), caller_ids="4930")
    assert own(apps, attack)["refused"]
    assert FORBIDDEN.encode() not in written(apps.call).replace(b"-", b"")


def test_what_passes_is_dialled_and_what_does_not_dial_is_left_alone(apps: Apps) -> None:
    apps.store.rules = CallRules(whitelist=frozenset({"49"}))
    done = (
        ("bridge", "user/1|sofia/gateway/x/4930"),
        ("transfer", "menu XML default"),
        ("set", "conference_max_members=9"),
        ("conference", "0900666777@default"),
        ("playback", "hello.wav"),
    )
    assert "refused" not in own(apps, *done)
    assert apps.call.executed == list(done)


@given(
    st.sampled_from(["112", "117", "*911", "0900666777", "4990123", "4930123", "1000", "00493012"]),
    st.sampled_from(
        [
            "sofia/gateway/x/{}",
            "loopback/{}",
            "loopback/{}/default/XML",
            "sofia/external/{}@carrier;a=b",
            "sofia/external/sip:{}@carrier",
            "user/1,loopback/{}",
            "{{a=b}}loopback/{}",
        ]
    ),
    st.sampled_from(["bridge", "transfer", "deflect", "execute_extension", "own", "dial"]),
    st.sets(st.sampled_from(["49", "0900", "=1000"])),
    st.sets(st.sampled_from(["4990", "0900"])),
    st.sets(st.sampled_from(["4930123", "493012", "0900666777"])),
    st.sampled_from(["", "DE"]),
)
def test_no_number_that_a_rule_forbids_is_in_any_byte(
    number: str, address: str, way: str, white: set[str], black: set[str], listed: set[str], region: str
) -> None:
    apps = Apps(numbering=numbering(region))
    rules = apps.store.rules = CallRules(whitelist=frozenset(white), blacklist=frozenset(black), do_not_call=frozenset(listed))
    match way:
        case "dial":
            apps.start(DIAL, number)
        case "own":
            own(apps, Transfer(dial_string=address.format(number), timeout=5))
        case "transfer" | "execute_extension":
            own(apps, (way, f"{number} XML default"))
        case _:
            own(apps, (way, address.format(number)))
    identity = numbering(region).identity(number)
    forbidden = (
        numbering(region).is_emergency(number)
        or identity in rules.do_not_call
        or any(identity.startswith(pattern) or number.startswith(pattern) for pattern in black)
        or (white and not any(f"={identity}" == one or identity.startswith(one) for one in white))
    )
    if forbidden:
        assert number.encode() not in written(apps.call)


# --- caller ids -------------------------------------------------------------------------------------------------------------


def test_a_caller_id_that_is_not_allowed_any_more_is_not_shown(apps: Apps) -> None:
    apps.store.rules = CallRules(caller_ids="4930555")
    apps.start(DIAL, "493012", caller_id="4930999")
    assert apps.call.transfers == []
    assert apps.notes is not None
    assert "caller_id: 4930999 is not one of the caller ids of this user" in apps.notes["error"]


def test_a_contacts_number_that_may_not_be_shown_is_left_out(apps: Apps) -> None:
    apps.start(DIAL, "493012")
    apps.store.rules = CallRules(caller_ids="4930555")
    apps.start(DIAL, "493012")
    assert [transfer.caller_id_number for transfer in apps.call.transfers] == [ANA.number, ""]


@pytest.mark.parametrize("number", ["911", "117"])
def test_an_emergency_number_is_nobodys_caller_id(apps: Apps, number: str) -> None:
    own(apps, Transfer(dial_string="user/1", timeout=5, caller_id_number=number))
    own(apps, Transfer(dial_string="user/1", timeout=5, variables=(("sip_from_user", number),)))
    apps.store.gateways[7] = evolve(AGENTS, addparameter=f"effective_caller_id_number={number}")
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []


def test_a_gateways_own_parameters_may_set_what_others_may_not(apps: Apps) -> None:
    apps.store.gateways[7] = evolve(AGENTS, addparameter="sip_invite_domain=example.org")
    apps.start(DIAL, "493012")
    assert apps.call.transfers[0].variables[0] == ("sip_invite_domain", "example.org")


# --- limits -----------------------------------------------------------------------------------------------------------------


def limited(apps: Apps, elsewhere: int = 0, **limits: int) -> OpenAttempts:
    apps.store.gateways[7] = evolve(AGENTS, **limits)
    register = OpenAttempts()
    apps.limits = CountedLegs(lambda: NOON, register, GatewayRates(), lambda: {7: elsewhere})
    apps.call.slow.add("bridge")
    return register


def test_a_second_leg_counts_while_it_lasts(apps: Apps) -> None:
    register = limited(apps, maximum_call=1)
    apps.start(DIAL, "493012")
    assert dict(register.gateways) == {7: 1}
    other = Apps(store=apps.store, limits=apps.limits)
    other.start(DIAL, "493013")
    assert other.call.transfers == []
    assert other.notes is not None
    assert other.notes["error"] == "transfer: gateway agents is full: it takes 1 calls at a time"
    apps.call.complete()
    assert dict(register.gateways) == {}


def test_calls_of_other_nodes_leave_no_room(apps: Apps) -> None:
    limited(apps, elsewhere=2, maximum_call=2)
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []


def test_a_leg_whose_callee_hangs_up_counts_no_longer(apps: Apps) -> None:
    register = limited(apps, maximum_call=1)
    apps.start(DIAL, "493012")
    apps.call.end()
    assert dict(register.gateways) == {}


def test_a_second_leg_waits_for_the_pace_of_its_gateway_and_is_asked_for_again(apps: Apps) -> None:
    limited(apps, calls_per_second=1)
    apps.start(DIAL, "493012")
    second = Apps(store=apps.store, limits=apps.limits)
    running: Deferred[Any] = second.start(DIAL, "493013")
    assert (len(apps.call.transfers), second.call.transfers) == (1, [])
    second.clock.advance(0.9)
    assert second.call.transfers == []
    second.clock.advance(0.2)
    assert len(second.call.transfers) == 1
    assert running.called
    third = Apps(store=apps.store, limits=apps.limits)
    third.start(DIAL, "493014")
    apps.store.rules = CallRules(blacklist=frozenset({"493014"}))
    third.clock.advance(3)
    assert third.call.transfers == []


def test_nobody_waits_long_for_the_pace_of_a_gateway(apps: Apps) -> None:
    limited(apps, calls_per_second=1)
    for _ in range(6):
        Apps(store=apps.store, limits=apps.limits).start(DIAL, "493012")
    last = Apps(store=apps.store, limits=apps.limits)
    last.start(DIAL, "493012")
    assert last.notes is not None
    assert "calls per second for longer than a callee waits" in last.notes["error"]
