"""Strangers at the port to which the switch hands answered calls: they get nothing, cost little, and keep no call out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import structlog

from dialer.errors import BadValue
from dialer.esl import commands
from dialer.esl.inbound import SwitchConfig
from dialer.esl.outbound import OutboundConfig
from dialer.esl.proof import VARIABLE, SessionProof
from tests.unit.esl.test_inbound import Setup
from tests.unit.esl.test_outbound import CALL_UUID, CHANNEL, Here, Keeping
from tests.unit.esl.wire import Wire, json_event

PROOF = SessionProof("the password of the switch")


def here(handler: Any, **config: Any) -> Here:
    return Here(handler, config=OutboundConfig(proof=PROOF, **config))


def with_token(token: str) -> bytes:
    """The answer to `connect` of a channel that has that token."""
    return CHANNEL.removesuffix(b"\n\n") + f"\nvariable_{VARIABLE}: {quote(token)}\n\n".encode()


@pytest.fixture
def told() -> Any:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_the_switch_that_has_the_call_gets_its_session() -> None:
    handler = Keeping()
    door = here(handler)
    door.channel = with_token(PROOF.token(CALL_UUID))
    door.open()
    assert [call.call_uuid for call in handler.calls] == [CALL_UUID]


@pytest.mark.parametrize(
    "token", ["", "0" * 32, PROOF.token("another call"), SessionProof("guessed").token(CALL_UUID), "ü", "x" * 9000]
)
def test_who_only_knows_the_id_of_a_call_gets_nothing_of_it(token: str, told: Any) -> None:
    handler = Keeping()
    door = here(handler)
    door.channel = with_token(token)
    for _ in range(50):
        wire = door.open()
    assert handler.calls == []
    assert [command.partition("\n")[0] for command in wire.commands] == ["connect", "sendmsg"]
    assert len([line for line in told if line["log_level"] == "warning"]) == 1


def test_the_token_is_the_same_after_a_restart_and_at_another_node() -> None:
    assert SessionProof("the password of the switch").token(CALL_UUID) == PROOF.token(CALL_UUID)
    assert "password of" not in repr(PROOF)


def test_each_originate_carries_the_token_of_its_call() -> None:
    setup, proof = Setup().start(), SessionProof(SwitchConfig().password)
    for number in (1, 2):
        setup.submit(number)
    setup.there.settle()
    sent = [command for wire in setup.there.wires for command in wire.commands if command.startswith("bgapi")]
    assert len(sent) == 2
    for number, command in enumerate(sent, 1):
        assert f"origination_uuid=c{number},{VARIABLE}={proof.token(f'c{number}')}," in command


@pytest.mark.parametrize("name", [VARIABLE, VARIABLE.upper()])
def test_nobody_else_sets_the_token(name: str) -> None:
    with pytest.raises(BadValue, match="reserved"):
        commands.given_variables(((name, "x"),))


@pytest.mark.parametrize(
    "said",
    [b"x" * 200_000, b"Content-Type: api/response\nContent-Length: 60000000\n\n", json_event('{"Event-Name":"DTMF"}')],
    ids=["endless header", "huge body", "event"],
)
def test_a_connection_that_has_brought_no_call_is_heard_for_a_block_only(said: bytes) -> None:
    door = here(Keeping())
    door.answer = lambda _block: None  # type: ignore[method-assign]
    wire: Wire = door.open()
    assert not wire.closing
    wire.say(said)
    door.settle()
    assert wire.closing
    assert door.server.sessions == 0


def test_idle_strangers_give_way_to_the_switch(told: Any) -> None:
    handler = Keeping()
    door = here(handler, max_strangers=5)
    door.answer = lambda _block: None  # type: ignore[method-assign]
    wires = [door.open() for _ in range(50)]
    assert sum(not wire.closing for wire in wires) == 5
    assert len(told) == 1
    del door.answer
    door.channel = with_token(PROOF.token(CALL_UUID))
    called = [door.open() for _ in range(20)]
    assert len(handler.calls) == 20
    assert not any(wire.closing for wire in called)
