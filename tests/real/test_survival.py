"""An answered call whose dialer is killed, frozen or gone: it waits, is driven again, or ends politely; with the shipped
dialplan, and with the one that a call brings itself.

What these tests need is told in `tests/real/stage.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from dialer.store.location import sqlite_url
from tests.harness.called_side import SeenCall
from tests.harness.campaign import StoredAttempt
from tests.harness.node import START, Node
from tests.real.campaign import Rules
from tests.real.node import LEASE
from tests.real.stage import Stage, needs
from tests.real.switch import EventSocket, until_event

pytestmark = [needs("CALLEES"), pytest.mark.timeout(300)]

ONE_WHO_STAYS = Rules(contacts=1, digits="8", message=4.0, max_duration=90)
ONE_WHO_ANSWERS_LATE = Rules(contacts=1, digits="7", message=2.0, max_duration=90)
MESSAGE = "tone_stream://%(4000,0,440)"
APOLOGY = "tone_stream://%(330,30,950)"
"""How the tones begin that the dialplan plays when no dialer has taken a call back."""
HEARD = 1.0
"""Seconds of the message before the dialer is killed."""
PAUSE = 2.0
"""Seconds after which the dialplan asks for a dialer again."""
WAIT = 25
"""Seconds for which it does (`outbound.wait_for_dialer`), unless a test says otherwise: more than a restart takes."""

both = pytest.mark.parametrize("inline", [False, True], ids=["shipped", "inline"])


@define(eq=False)
class OneCall:
    """A campaign with one contact. `peer` hears what is executed on channels from the beginning on."""

    stage: Stage
    peer: EventSocket
    _executed: list[Mapping[str, str]] = field(factory=list, init=False)

    def execution(self, application: str, seconds: float) -> Mapping[str, str]:
        """The next start of an application on the call."""
        wanted = {"Event_Name": "CHANNEL_EXECUTE", "Application": application, "Unique_ID": self.attempt.uuid}
        return until_event(self.peer, seconds, **wanted)

    def played(self, seconds: float) -> str:
        """What is played to the callee next."""
        return self.execution("playback", seconds)["Application-Data"]

    @property
    def attempt(self) -> StoredAttempt:
        """The only one: nobody was called twice."""
        (attempt,) = self.stage.campaign.attempts()
        return attempt

    @property
    def call(self) -> SeenCall:
        """The only one: no phone rang twice."""
        (call,) = self.stage.evidence().calls
        return call

    def until_called(self) -> None:
        """Wait until there is an attempt."""
        self.stage.until(lambda: bool(self.stage.campaign.attempts()), START, "nobody is called")

    def until_over(self, seconds: float) -> None:
        """Wait until the callee sees the end of the call."""
        self.stage.until(lambda: self.call.ended_at is not None, seconds, "the call does not end")

    def lasted(self) -> float:
        """Seconds from the answer to the end."""
        call = self.call
        assert call.answered_at is not None
        assert call.ended_at is not None
        return call.ended_at - call.answered_at

    def talked(self) -> float:
        """The same, as it is stored."""
        ((milliseconds,),) = self.stage.campaign.rows("SELECT talk_ms FROM attempt")
        return int(milliseconds) / 1000


Begin = Callable[..., OneCall]


@pytest.fixture
def local(tmp_path: Path) -> str:
    """The URL of a new database of one dialer."""
    return sqlite_url(tmp_path / "dialer.db")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts the campaign of one contact, on the database at `url`."""
    with ExitStack() as stack:

        def started(url: str, rules: Rules, *names: str, **outbound: Any) -> OneCall:
            stage = stack.enter_context(Stage(tmp_path, url, rules=rules))
            peer = stack.enter_context(closing(stage.switch.listen("CHANNEL_EXECUTE")))
            for name in names:
                stage.node(name, outbound={"wait_for_dialer": WAIT, **outbound})
            stage.nodes[0].start()
            return OneCall(stage, peer)

        yield started


@both
def test_an_answered_call_survives_three_kills_and_hears_its_message_to_the_end(url: str, begin: Begin, inline: bool) -> None:
    one = begin(url, ONE_WHO_STAYS, "a", inline=inline)
    node = one.stage.nodes[0]
    one.until_called()
    for _ in range(3):
        assert one.played(WAIT + 5.0) == MESSAGE
        time.sleep(HEARD)
        node.kill()
        node.start()
    assert one.played(WAIT + 5.0) == MESSAGE
    assert one.stage.settle() == []
    assert one.lasted() >= 3 * (HEARD + PAUSE) + ONE_WHO_STAYS.message
    assert (one.attempt.disposition, one.attempt.cause) == ("ANSWERED", "NORMAL_CLEARING")
    assert one.talked() == pytest.approx(one.lasted(), abs=0.5)


@both
def test_a_callee_whose_dialer_does_not_come_back_hears_tones_and_is_not_called_again(
    local: str, begin: Begin, inline: bool
) -> None:
    wait = 6
    one = begin(local, ONE_WHO_STAYS, "a", inline=inline, wait_for_dialer=wait)
    one.until_called()
    assert one.played(10.0) == MESSAGE
    time.sleep(HEARD)
    one.stage.nodes[0].kill()
    assert one.played(wait + 15.0).startswith(APOLOGY)
    one.until_over(10.0)
    least = HEARD + wait - 1.0  # the switch counts whole seconds
    assert least <= one.lasted() <= least + 2 * PAUSE + 4.0
    one.stage.nodes[0].start()
    assert one.stage.settle() == []
    assert one.attempt.disposition == "ANSWERED"


@both
def test_keys_do_not_shorten_the_pauses_and_a_waiting_call_ends_with_its_longest_duration(
    local: str, begin: Begin, inline: bool
) -> None:
    rules = Rules(contacts=1, digits="8", message=4.0, max_duration=12)
    one = begin(local, rules, "a", inline=inline, wait_for_dialer=300)
    one.until_called()
    assert one.played(10.0) == MESSAGE
    time.sleep(HEARD)
    uuid = one.attempt.uuid
    one.stage.nodes[0].kill()
    began, turns = time.monotonic(), 0
    with closing(one.stage.switch.listen("CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE")) as peer:
        while (event := peer.event(0.25)) is None or event["Event-Name"] != "CHANNEL_HANGUP_COMPLETE":
            assert time.monotonic() < began + 20
            if event is None:
                one.stage.switch.ask(f"uuid_recv_dtmf {uuid} 5")
            elif event["Application"] == "socket":
                turns += 1
    assert event["Hangup-Cause"] == "ALLOTTED_TIMEOUT"
    assert turns <= (time.monotonic() - began) / PAUSE + 1
    one.until_over(5.0)
    assert 10.5 <= one.lasted() <= 13.0
    one.stage.nodes[0].start()
    assert one.stage.settle() == []
    assert one.attempt.disposition == "ANSWERED"


@both
@pytest.mark.parametrize("wakes", [True, False], ids=["wakes", "dies"])
def test_a_callee_who_answers_a_frozen_dialer_is_driven_by_the_one_that_has_the_call(
    shared: str, begin: Begin, inline: bool, wakes: bool
) -> None:
    one = begin(shared, ONE_WHO_ANSWERS_LATE, "a", "b", inline=inline)
    frozen, survivor = one.stage.nodes
    one.until_called()
    one.stage.until(lambda: [call.rang_at for call in one.stage.callees.calls()] not in ([], [None]), 10.0, "nobody rings")
    frozen.freeze()
    survivor.start()
    one.stage.until_ready(survivor)
    mine = "attempt WHERE owner = 'b' AND ended_at IS NULL"
    one.stage.until(lambda: bool(one.stage.campaign.count(mine)), 5 * LEASE, "the survivor has not taken over")
    assert one.call.answered_at is not None
    time.sleep(2.0)  # the survivor finds the call, and leads it to itself
    frozen.thaw() if wakes else frozen.kill()
    assert one.played(10.0) == "tone_stream://%(2000,0,440)"
    assert one.stage.settle() == []
    assert (one.attempt.owner, one.attempt.disposition) == ("b", "ANSWERED")
    assert one.lasted() >= ONE_WHO_ANSWERS_LATE.message
    assert _given_back(frozen) == wakes


def _given_back(node: Node) -> bool:
    return any(line.text.startswith("giving back calls") for line in node.log())
