"""The states of SIP gateways, as FreeSWITCH 1.11.2 wrote them."""

from __future__ import annotations

import pytest

from dialer.esl import sip_gateways
from dialer.esl.commands import api
from dialer.esl.connection import CommandReply
from dialer.esl.frames import Frame
from dialer.model.sip_gateway import SipGateway

GATEWAY = """  <gateway>
    <name>{name}</name>
    <profile>external</profile>
    <scheme>Digest</scheme>
    <realm>127.0.0.1</realm>
    <username>{user}</username>
    <password>yes</password>
    <from>&lt;sip:user@127.0.0.1:11003&gt;</from>
    <contact>&lt;sip:gw+carrier@127.0.0.1:11002;transport=udp;gw=carrier&gt;</contact>
    <pingfreq>0</pingfreq>
    <state>{state}</state>
    <status>{status}</status>
    <uptime-usec>1761838</uptime-usec>
  </gateway>
"""
HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<gateways>\n'


def gateway(name: str, state: str = "NOREG", status: str = "UP", user: str = "user") -> str:
    return GATEWAY.format(name=name, state=state, status=status, user=user)


def read(text: str) -> list[SipGateway] | None:
    found = sip_gateways.read(CommandReply(api("sofia"), text.rstrip("\n"), Frame({}, b"")))
    return None if found is None else list(found)


def test_all_gateways_are_asked_for_with_one_command() -> None:
    assert sip_gateways.ask().payload == b"api sofia xmlstatus gateway\n\n"


def test_each_has_its_state() -> None:
    text = (
        f"{HEAD}{gateway('unregistered', 'FAIL_WAIT', 'DOWN')}{gateway('dead', status='DOWN')}{gateway('carrier')}</gateways>"
    )
    found = read(text)
    assert found == [
        SipGateway(name="unregistered", profile="external", state="FAIL_WAIT", status="DOWN"),
        SipGateway(name="dead", profile="external", state="NOREG", status="DOWN"),
        SipGateway(name="carrier", profile="external", state="NOREG", status="UP"),
    ]
    assert [each.is_down for each in found] == [True, True, False]
    assert [each.text for each in found] == ["DOWN, FAIL_WAIT", "DOWN", "UP"]


@pytest.mark.parametrize("state", ["REGED", "TRYING", "REGISTER", "UNREGED", "NOREG"])
def test_one_that_is_being_registered_anew_is_up_as_long_as_the_switch_says_so(state: str) -> None:
    assert not SipGateway(name="a", profile="p", state=state, status="UP").is_down


@pytest.mark.parametrize(("state", "status"), [("FAILED", "UP"), ("FAIL_WAIT", "UP"), ("REGED", "DOWN"), ("NOREG", "INVALID")])
def test_one_whose_registration_failed_or_that_does_not_answer_is_down(state: str, status: str) -> None:
    assert SipGateway(name="a", profile="p", state=state, status=status).is_down


@pytest.mark.parametrize(
    "text", ["-ERR sofia Command not found!", "", "Invalid Gateway!", "-ERR no reply", '<?xml version="1.0"?>\n<profiles>']
)
def test_a_switch_that_cannot_tell_says_nothing_of_any(text: str) -> None:
    assert read(text) is None


def test_a_switch_without_gateways_has_none() -> None:
    assert read(f"{HEAD}</gateways>") == []


def test_names_are_not_escaped_there_and_cannot_say_that_another_gateway_is_down() -> None:
    evil = gateway("a & <b>", user="x</username>\n    <status>DOWN")
    assert read(f"{HEAD}{evil}{gateway('carrier')}</gateways>") == [
        SipGateway(name="a & <b>", profile="external", state="NOREG", status="UP"),
        SipGateway(name="carrier", profile="external", state="NOREG", status="UP"),
    ]


def test_what_is_cut_off_is_left_out() -> None:
    assert read(f"{HEAD}{gateway('carrier')}  <gateway>\n    <name>half</name>\n") == [
        SipGateway(name="carrier", profile="external", state="NOREG", status="UP")
    ]
