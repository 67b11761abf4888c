"""What an observer hears and may ask for, beside the flow."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from dialer.errors import BadValue, CommandFailed, SwitchUnavailable
from dialer.esl import commands
from dialer.esl.events import EslEvent, concerns_legs
from dialer.esl.inbound import Observation
from dialer.esl.remote import RemoteChannel
from dialer.model.flow import Transfer
from dialer.simulator.dialstring import separate
from tests.unit.esl.test_inbound import ANSWER, SUBSCRIPTION, Setup, outcome
from tests.unit.esl.wire import json_event

MINE = "c1"
WIDENED = f"{SUBSCRIPTION} DTMF CUSTOM conference::maintenance sofia::gateway_state sofia::register"


class Observed(Setup):
    """A switch with an observer of the call c1."""

    def __init__(self, kinds: frozenset[str] = frozenset({"DTMF", "CHANNEL_ANSWER"}), **more: Any) -> None:
        self.seen: list[EslEvent] = []
        subclasses = frozenset({"sofia::register", "conference::maintenance"})
        observation = Observation(kinds=kinds, subclasses=subclasses, owns=MINE.__eq__, tell=self.seen.append)
        super().__init__(observation=observation, **more)

    @property
    def side(self) -> Any:
        """The connection for the observer's commands: the one that asked for nothing but to be let in."""
        return next(wire for wire in self.there.open_wires if not any("global_getvar" in line for line in wire.commands))


def event(name: str, uuid: str, **more: str) -> bytes:
    fields = {"Event-Name": name, "Unique-ID": uuid, "Event-Date-Timestamp": "1000000", **more}
    return json_event(orjson.dumps(fields).decode())


def test_the_subscription_is_widened_by_exactly_what_is_asked_for() -> None:
    here = Observed().start()
    assert [line for wire in here.there.wires for line in wire.commands if line.startswith("event")] == [WIDENED]


def test_it_is_the_same_after_the_connection_was_lost() -> None:
    here = Observed().start()
    wire = here.there.wire_of("event")
    wire.close()
    here.there.settle(10)
    again = here.there.wire_of("event")
    assert again is not wire
    assert WIDENED in again.commands
    again.say(event("DTMF", MINE))
    assert [each.name for each in here.seen] == ["DTMF"]


def test_the_observer_hears_before_the_flow_does_and_the_flow_as_before() -> None:
    here = Observed().start()
    wire = here.there.wire_of("event")
    wire.say(json_event(ANSWER))
    wire.say(event("DTMF", MINE))
    wire.say(event("DTMF", "other"))
    wire.say(event("DTMF", "leg", **{"Channel-Call-UUID": MINE}))
    assert [(each.name, each.value("Unique-ID")) for each in here.seen] == [
        ("CHANNEL_ANSWER", MINE),
        ("DTMF", MINE),
        ("DTMF", "leg"),
    ]
    assert len(here.listener.told) == 2


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"Event-Name":"DTMF","Unique-ID":"c1"}', True),
        (b'{"Event-Name":"DTMF","Unique-ID":"x","Channel-Call-UUID":"c1"}', True),
        (b'{"Event-Name":"DTMF","Unique-ID":"x","Channel-Call-UUID":"y"}', False),
        (b'{"Event-Name":"DTMF","Unique-ID":"x","Other":"Channel-Call-UUID:c1"}', False),
        (b'{"Event-Name":"CHANNEL_HANGUP_COMPLETE","Unique-ID":"x"}', True),
        (b'{"Event-Name":"HEARTBEAT"}', True),
    ],
)
def test_second_legs_concern_the_owner_of_the_first(body: bytes, wanted: bool) -> None:
    assert concerns_legs(body, MINE.__eq__) is wanted


def test_the_commands_of_the_observer_have_a_connection_of_their_own() -> None:
    here = Observed().start()
    assert len(here.there.open_wires) == 3
    asked = outcome(here.switch.ask_aside(commands.exists(MINE)))
    here.there.settle()
    assert asked == ["true"]
    assert here.side.commands[-1] == "api uuid_exists c1"
    refused = outcome(here.switch.ask_aside(commands.kill(MINE, "USER_BUSY")))
    here.there.settle()
    assert isinstance(refused[0], CommandFailed)


def test_that_connection_is_nothing_to_the_flow() -> None:
    here = Observed().start()
    here.side.close()
    here.there.settle()
    assert here.switch.ready
    (lost,) = outcome(here.switch.ask_aside(commands.exists(MINE)))
    assert isinstance(lost, SwitchUnavailable)
    here.there.settle(10)
    asked = outcome(here.switch.ask_aside(commands.exists(MINE)))
    here.there.settle()
    assert asked == ["true"]
    assert here.listener.told == [("up", "core-1")]


def test_without_an_observer_there_is_no_such_connection() -> None:
    here = Setup().start()
    assert len(here.there.open_wires) == 2
    (lost,) = outcome(here.switch.ask_aside(commands.exists(MINE)))
    assert isinstance(lost, SwitchUnavailable)


@pytest.mark.parametrize("bad", ["x y", "a\nb", "", "::x", "a::b c", "x" * 200])
def test_a_subclass_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(BadValue):
        commands.subscribe((), [bad])


# --- a channel without a session --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argument", ["a b.wav", "it's", "a\\b", "x' both", "a,b;c|d", "  two  ", "{loops=3}tone", "'quoted'", "\\"]
)
def test_an_argument_comes_out_of_the_switchs_cut_as_it_was_but_for_the_expansion_of_the_application(argument: str) -> None:
    payload = commands.broadcast(MINE, "playback", argument, "both").payload.decode()
    line = payload.removeprefix("api uuid_broadcast ").removesuffix("\n\n")
    assert separate(line, " ", 4) == [MINE, f"playback::{argument}".replace("\\", "\\\\"), "both"]


@pytest.mark.parametrize("argument", ["a\nb", "a\rb", "${x}", "a\0b", "%[a=b]x", "\ud800"])
def test_what_would_not_come_out_is_refused(argument: str) -> None:
    with pytest.raises(BadValue):
        commands.broadcast(MINE, "playback", argument, "aleg")


def sent(channel: RemoteChannel, asked: list[Any]) -> str:
    return str(asked[-1].payload.decode())


def test_a_second_leg_is_written_as_for_a_session() -> None:
    asked: list[Any] = []
    channel = RemoteChannel(lambda command: asked.append(command), MINE)  # type: ignore[arg-type, func-returns-value]
    transfer = Transfer(dial_string="sofia/gateway/carrier/1555", timeout=20, variables=(("a", "b c"),))
    channel.bridge(transfer)
    expected = "bridge::{originate_timeout=20,ignore_early_media=true,a=b c}sofia/gateway/carrier/1555"
    assert sent(channel, asked) == f"api uuid_broadcast c1 '{expected}' aleg\n\n"
    for bad in (Transfer(dial_string="user/1 {x", timeout=5), Transfer(dial_string="user/1", timeout=0)):
        (refused,) = outcome(channel.bridge(bad))
        assert isinstance(refused, BadValue)
    (refused,) = outcome(channel.execute("play back", "x"))
    assert isinstance(refused, BadValue)
    assert len(asked) == 1
