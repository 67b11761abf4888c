"""The texts that the simulated switch keeps, and the marks that originates leave in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from dialer.esl import commands, sent_marks
from dialer.model import Origination
from dialer.simulator.config import MODULES
from dialer.simulator.hash import USAGE, hash_command
from tests.unit.simulator.harness import START, bench

CALL = Origination(
    call_uuid="c-1",
    dial_string="sofia/gateway/carrier/15551234",
    account_code="dialer-x",
    timeout=10,
    max_duration=20,
    deadline=datetime(2026, 11, 27, tzinfo=UTC),
    outbound="127.0.0.1:8084",
)


def test_texts_are_kept_by_realm_and_key() -> None:
    kept: dict[str, str] = {}
    said = [hash_command(kept, text) for text in ("insert/r/k/1", "select/r/k", "insert/r/k/2", "select/r/k", "select/r/x")]
    assert said == ["+OK\n", "1", "+OK\n", "2", ""]
    said = [hash_command(kept, text) for text in ("insert_ifempty/r/k/3", "insert_ifempty/r/n/3", "select/r/k", "select/r/n")]
    assert said == ["-ERR key already exists\n", "+OK\n", "2", "3"]
    said = [hash_command(kept, text) for text in ("delete_ifmatch/r/k/9", "delete_ifmatch/r/k/2", "delete/r/n", "delete/r/n")]
    assert said == ["-ERR Doesn't match\n", "+OK\n", "+OK\n", "-ERR Not found\n"]
    assert kept == {}


@pytest.mark.parametrize("text", ["", "insert", "insert/r/k", "drop/r/k/v", "select/r"])
def test_what_it_does_not_take_is_told(text: str) -> None:
    assert hash_command({"r_k": "1"}, text) == USAGE


@pytest.mark.parametrize(
    ("late", "gateway", "mark"), [(False, "carrier", "1"), (True, "carrier", "0"), (False, "nope", "2"), (False, "down", "2")]
)
def test_an_executed_originate_leaves_its_mark_until_that_is_removed(late: bool, gateway: str, mark: str) -> None:
    here = bench("busy", gateways_down=frozenset({"down"}))
    client = here.connect()
    client.send(sent_marks.remember_since().payload.decode())
    assert client.ask("hash select/dialer-sent/since").isdigit()
    assert client.ask("hash select/dialer-sent/c-1") == "-ERR no reply\n"
    deadline = datetime.fromtimestamp(START, UTC) + timedelta(seconds=-1 if late else 10)
    wanted = evolve(CALL, deadline=deadline, dial_string=f"sofia/gateway/{gateway}/15551234")
    client.send(commands.originate(wanted, timedelta()).payload.decode())
    here.pass_time(3.0)
    assert len(here.simulator.calls) == int(mark == "1")
    assert client.ask("hash select/dialer-sent/c-1") == mark
    client.send(sent_marks.remove(["c-1"]).payload.decode())
    assert client.ask("hash select/dialer-sent/c-1") == "-ERR no reply\n"


def test_a_full_switch_executes_an_originate_and_makes_no_channel() -> None:
    here = bench("busy")
    client = here.connect()
    client.ask("fsctl pause")
    deadline = datetime.fromtimestamp(START, UTC) + timedelta(seconds=10)
    client.send(commands.originate(evolve(CALL, deadline=deadline), timedelta()).payload.decode())
    here.pass_time(3.0)
    assert here.simulator.calls == []
    assert client.ask("hash select/dialer-sent/c-1") == "2"


def test_without_mod_hash_calls_are_made_and_no_marks_are_kept() -> None:
    here = bench("busy", modules=MODULES - {"mod_hash"})
    client = here.connect()
    client.send(sent_marks.remember_since().payload.decode())
    deadline = datetime.fromtimestamp(START, UTC) + timedelta(seconds=10)
    client.send(commands.originate(evolve(CALL, deadline=deadline), timedelta()).payload.decode())
    here.pass_time(3.0)
    assert len(here.simulator.calls) == 1
    assert client.ask("hash select/dialer-sent/c-1").startswith("-ERR")
