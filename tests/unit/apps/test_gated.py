"""Whatever a voice application has dialled passes the gate at that very moment, and counts in the limits of its gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred

from dialer.apps.context import CallContext
from dialer.apps.dial import RESUMED
from dialer.apps.gated import GatedLegs
from dialer.calls.live import LiveAttempt
from dialer.calls.register import OpenAttempts
from dialer.campaigns.limits import GatewayRates
from dialer.campaigns.second_legs import CountedLegs
from dialer.errors import BadValue, StoreError
from dialer.esl import bridging, commands
from dialer.interfaces import UNSERVED
from dialer.model import AttemptState, CallRules, GatewayStatus, VoipAppType
from dialer.model.flow import Transfer
from dialer.numbering import numbering
from tests.fakes.calls import MemoryCall
from tests.fakes.store import MemoryStore
from tests.unit.apps.world import AGENTS, ANA, Apps, attempt
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
    ("limit", f"hash realm id 1 {FORBIDDEN} XML default"),
    ("limit_execute", f"hash realm id 1 bridge sofia/gateway/x/{FORBIDDEN}"),
    ("tone_detect", f"fax 1100 r +5000 transfer {FORBIDDEN}"),
    ("conference_set_auto_outcall", f"sofia/gateway/x/{FORBIDDEN}"),
    ("play_and_get_digits", f"1 1 1 3000 # 'a file.wav' silence_stream://1 got \\d 1000 {FORBIDDEN}"),
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
        ("bridge", "user/1|group/sales"),
        ("transfer", "menu XML default"),
        ("deflect", "sip:alice@example.org"),
        ("play_and_get_digits", "1 1 1 3000 # 'a file.wav' silence_stream://1 got \\d 1000"),
        ("set", "conference_max_members=9"),
        ("conference", "0900666777@default"),
        ("playback", "hello.wav"),
    )
    assert "refused" not in own(apps, *done)
    assert apps.call.executed == list(done)


UNCOUNTED = [
    ("bridge", "sofia/gateway/agents/4930"),
    ("bridge", "sofia/gateway/agents/alice"),
    ("bridge", "user/1|loopback/4930"),
    ("att_xfer", "sofia/gateway/agents/4930"),
    ("redirect", "sip:4930@carrier"),
    ("deflect", "sip:4930@carrier"),
    ("transfer", "4930 XML default"),
    ("execute_extension", "4930"),
]


@pytest.mark.parametrize("done", UNCOUNTED, ids=str)
def test_a_leg_that_would_count_nowhere_is_refused_with_the_way_to_go(apps: Apps, done: tuple[str, str]) -> None:
    assert own(apps, done)["refused"] == (
        f"{done[0]}: {done[1]!r} would be dialled past the limits of its gateway: use the call's bridge(Transfer(...))"
    )
    assert apps.call.executed == []


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
    apps.store.known[7] = evolve(AGENTS, addparameter=f"effective_caller_id_number={number}")
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []


def test_a_gateways_own_parameters_may_set_what_others_may_not(apps: Apps) -> None:
    apps.store.known[7] = evolve(AGENTS, addparameter="sip_invite_domain=example.org")
    apps.start(DIAL, "493012")
    assert apps.call.transfers[0].variables[0] == ("sip_invite_domain", "example.org")


# --- limits -----------------------------------------------------------------------------------------------------------------


@define(eq=False)
class Counted:
    """What counts: the calls of this process, and what the store knows of second legs."""

    register: OpenAttempts = field(factory=OpenAttempts)
    flow: MemoryStore = field(factory=MemoryStore)

    @property
    def legs(self) -> tuple[int, dict[str, int]]:
        return self.register.gateways.get(7, 0), self.flow.second_legs

    def live(self, call_uuid: str) -> LiveAttempt:
        begun = attempt(DIAL)
        live = LiveAttempt(evolve(begun, plan=evolve(begun.plan, call_uuid=call_uuid)), AttemptState.CONNECTED, sent=True)
        self.register.add(live)
        return live


def limited(apps: Apps, elsewhere: int = 0, calls: int = 1, **limits: Any) -> Counted:
    """The calls `call-1` and so on are open."""
    apps.store.known[7] = evolve(AGENTS, **limits)
    counted = Counted()
    apps.limits = CountedLegs(lambda: NOON, counted.flow, counted.register, GatewayRates(), lambda: {7: elsewhere})
    apps.call.slow.add("bridge")
    for number in range(calls):
        counted.live(f"call-{number + 1}")
    return counted


def another(apps: Apps, call_uuid: str) -> Apps:
    return Apps(store=apps.store, limits=apps.limits, call=MemoryCall(call_uuid=call_uuid))


def test_a_second_leg_counts_while_it_lasts(apps: Apps) -> None:
    counted = limited(apps, calls=2, maximum_call=1)
    apps.start(DIAL, "493012")
    assert counted.legs == (1, {"call-1": 7})
    other = another(apps, "call-2")
    other.start(DIAL, "493013")
    assert other.call.transfers == []
    assert other.notes is not None
    assert other.notes["error"] == "transfer: gateway agents is full: it takes 1 calls at a time"
    apps.call.complete()
    assert counted.legs == (0, {})


@pytest.mark.parametrize(
    "address", ["sofia/gateway/agents/4930", "SOFIA/gateway/agents/0049301", "sofia/gateway/agents/alice"]
)
def test_an_address_of_a_gateway_counts_there_whoever_has_written_it(apps: Apps, address: str) -> None:
    counted = limited(apps, maximum_call=1)
    apps.start(DIAL, "", address, gateway_id=None)
    assert counted.legs == (1, {"call-1": 7})


def test_an_address_of_a_gateway_counts_there_whatever_gateway_is_named(apps: Apps) -> None:
    counted = limited(apps, maximum_call=1)
    apps.call.slow.clear()
    counted.live("call-2")
    counted.register.begin_leg("call-2", 7)
    other = evolve(AGENTS, id=8, dial_string="sofia/gateway/other/{number}")
    own(apps, Transfer(dial_string="sofia/gateway/agents/4930", timeout=5, gateway=other))
    assert apps.call.transfers == []
    own(apps, Transfer(dial_string="user/1", timeout=5), Transfer(dial_string="sofia/gateway/elsewhere/4930", timeout=5))
    assert [transfer.dial_string for transfer in apps.call.transfers] == ["user/1", "sofia/gateway/elsewhere/4930"]


def test_a_leg_whose_end_nobody_tells_counts_until_the_call_ends(apps: Apps) -> None:
    counted = limited(apps, maximum_call=1)
    apps.call.slow.clear()
    legs = GatedLegs(
        call=apps.call,
        call_uuid="call-1",
        user_id=1,
        campaign_id=1,
        numbering=numbering(),
        store=apps.store,
        limits=apps.limits,
        clock=apps.clock,
        is_told=False,
    )
    asked: list[Any] = []
    legs.bridge(Transfer(dial_string="sofia/gateway/agents/4930", timeout=5)).addCallback(asked.append)
    assert (len(asked), counted.legs) == (1, (1, {"call-1": 7}))
    live = counted.register.find("call-1")
    assert live is not None
    counted.register.remove(live, ended=True)
    assert counted.legs[0] == 0


def test_ends_of_legs_that_cannot_be_stored_are_told_once(apps: Apps) -> None:
    counted = limited(apps, calls=2)
    other = another(apps, "call-2")
    other.call.slow.add("bridge")
    for one in (apps, other):
        one.start(DIAL, "493012")
    counted.flow.error = StoreError("locked")
    with capture_logs() as lines:
        apps.call.complete()
        other.call.complete()
    assert counted.legs == (0, {"call-1": 7, "call-2": 7})
    assert [(line["event"], line["reason"]) for line in lines] == [("the ends of second legs are not stored", "locked")]


def test_nothing_is_dialled_that_the_store_refuses_or_cannot_keep(apps: Apps) -> None:
    counted = limited(apps)
    counted.flow.error = BadValue("transfer", "gateway agents is full: it takes 1 calls at a time")
    apps.start(DIAL, "493012")
    counted.flow.error = StoreError("locked")
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []
    assert counted.legs == (0, {})


def test_a_leg_that_the_store_admits_later_waits(apps: Apps) -> None:
    counted = limited(apps, calls_per_second=1)
    counted.flow.leg_delay = timedelta(seconds=2)
    apps.start(DIAL, "493012")
    assert (apps.call.transfers, counted.legs) == ([], (1, {"call-1": 7}))
    apps.clock.advance(1.9)
    assert apps.call.transfers == []
    apps.clock.advance(0.2)
    assert len(apps.call.transfers) == 1


def test_an_inactive_gateway_takes_no_second_leg(apps: Apps) -> None:
    limited(apps)
    inactive = evolve(AGENTS, status=GatewayStatus.INACTIVE)
    notes = own(apps, Transfer(dial_string="sofia/gateway/agents/4930", timeout=5, gateway=inactive))
    assert notes["refused"] == "transfer: gateway agents is not active"


def test_a_call_that_is_another_nodes_by_now_dials_nobody(apps: Apps) -> None:
    counted = limited(apps, calls=0)
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []
    assert counted.legs == (0, {})
    assert apps.notes is not None
    assert apps.notes["error"] == "transfer: the call has ended, or is another node's by now"


def test_calls_of_other_nodes_leave_no_room(apps: Apps) -> None:
    limited(apps, elsewhere=2, maximum_call=2)
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []


def test_a_leg_whose_callee_hangs_up_counts_no_longer(apps: Apps) -> None:
    counted = limited(apps, calls=0, maximum_call=1)
    live = counted.live("call-1")
    apps.start(DIAL, "493012")
    apps.call.end()
    counted.register.remove(live, ended=True)
    assert counted.legs[0] == 0


def test_a_leg_counts_while_nobody_knows_whether_it_ended_until_its_call_is_heard_of_again(apps: Apps) -> None:
    counted = limited(apps, maximum_call=1)
    apps.start(DIAL, "493012")
    apps.call.end()  # for the session, a lost connection is the same
    assert counted.legs == (1, {"call-1": 7})
    again = another(apps, "call-1")
    again.call.variables[RESUMED] = "SUCCESS"
    again.start(DIAL, "493012")
    assert counted.legs == (0, {})


def test_an_interrupted_applications_leg_counts_until_its_call_ends(apps: Apps) -> None:
    counted = limited(apps, calls=0)
    live = counted.live("call-1")
    apps.start(DIAL, "493012")
    apps.call.interrupt()
    assert counted.legs == (1, {"call-1": 7})
    counted.register.remove(live, ended=True)
    assert counted.legs[0] == 0


def test_a_leg_that_an_earlier_run_began_counts_from_the_take_over_on(apps: Apps) -> None:
    counted = limited(apps, calls=2, maximum_call=1)
    begun = attempt(DIAL)
    left = evolve(begun, plan=evolve(begun.plan, call_uuid="call-9"), second_gateway_id=7)
    live = LiveAttempt(left, AttemptState.UNCONFIRMED, sent=True)
    counted.register.add(live)
    apps.start(DIAL, "493012")
    assert apps.call.transfers == []
    counted.register.remove(live, ended=True)
    apps.start(DIAL, "493012")
    assert len(apps.call.transfers) == 1


def test_a_leg_of_a_call_that_has_one_already_takes_its_place(apps: Apps) -> None:
    counted = limited(apps, maximum_call=1)
    apps.start(DIAL, "493012")
    apps.call.interrupt()
    apps.start(DIAL, "493013")
    assert counted.legs == (1, {"call-1": 7})
    assert len(apps.call.transfers) == 2


def test_a_second_leg_waits_for_the_pace_of_its_gateway_and_is_asked_for_again(apps: Apps) -> None:
    limited(apps, calls=3, calls_per_second=1)
    apps.start(DIAL, "493012")
    second = another(apps, "call-2")
    running: Deferred[Any] = second.start(DIAL, "493013")
    assert (len(apps.call.transfers), second.call.transfers) == (1, [])
    second.clock.advance(0.9)
    assert second.call.transfers == []
    second.clock.advance(0.2)
    assert len(second.call.transfers) == 1
    assert running.called
    third = another(apps, "call-3")
    third.start(DIAL, "493014")
    apps.store.rules = CallRules(blacklist=frozenset({"493014"}))
    third.clock.advance(3)
    assert third.call.transfers == []


def test_nobody_waits_long_for_the_pace_of_a_gateway(apps: Apps) -> None:
    limited(apps, calls=7, calls_per_second=1)
    for number in range(6):
        another(apps, f"call-{number + 1}").start(DIAL, "493012")
    last = another(apps, "call-7")
    last.start(DIAL, "493012")
    assert last.notes is not None
    assert "calls per second for longer than a callee waits" in last.notes["error"]


@pytest.mark.parametrize(
    "transfer",
    [
        Transfer(dial_string="sofia/gateway/agents/0088213000", timeout=5, number="88213000", gateway=AGENTS),
        Transfer(dial_string="sofia/gateway/agents/0088213000", timeout=5),
    ],
    ids=["a number", "an address"],
)
def test_a_gateway_dials_no_second_leg_to_a_number_that_it_does_not_carry(apps: Apps, transfer: Transfer) -> None:
    barred = evolve(AGENTS, prefixes="+882=refused")
    apps.store.known[7] = barred
    if transfer.gateway is not None:
        transfer = evolve(transfer, gateway=barred)
    assert own(apps, transfer)["refused"] == "transfer: gateway agents does not carry 88213000"
    assert apps.call.transfers == []
    allowed = evolve(transfer, dial_string="sofia/gateway/agents/004930", number="4930" if transfer.number else "")
    assert "refused" not in own(apps, allowed)
    assert len(apps.call.transfers) == 1
