"""An answered call whose dialer is killed again and again, or stays away: the whole dialer, the simulator, and a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.oracle import violations
from tests.crash.scenarios import Kill, Plan, Scenario
from tests.crash.world import WAIT, World

MESSAGE = 1.5
"""Seconds."""

both = pytest.mark.parametrize("inline", [False, True], ids=["shipped", "inline"])


class KilledInCall(World):
    """The dialer is killed `HEARD` seconds into the `kills_left` next sessions of the only call, and is away for `away`
    seconds each time."""

    HEARD = 0.5
    away = 0.5
    kills_left = 0
    sessions = 0

    def point(self, name: str) -> None:
        super().point(name)
        if self.dialer.alive and self.kills_left and self.service.up and self.service.outbound.sessions:
            self.kills_left -= 1
            self.clock.callLater(self.HEARD, self._kill, Kill(restart=self.away))
            self.clock.callLater(self.HEARD, self._open)
            self._left, self.kills_left = self.kills_left, 0

    def _open(self) -> None:
        self.kills_left = self._left


def played(folder: Path, kills: int, away: float, *, inline: bool) -> KilledInCall:
    scenario = Scenario(name="stays", callees=("answers:ring=0.2,talk=60",), message=MESSAGE, inline=inline)
    world = KilledInCall(scenario, Plan(), folder)
    world.kills_left, world.away = kills, away
    world.run()
    return world


@both
@pytest.mark.parametrize("kills", [1, 4])
def test_a_call_survives_any_number_of_kills_and_its_message_is_heard_to_the_end(
    tmp_path: Path, kills: int, inline: bool
) -> None:
    world = played(tmp_path, kills, 0.5, inline=inline)
    assert violations(world) == []
    assert world.kills == kills
    (call,) = world.oracle.calls
    assert call.answered_at is not None
    assert call.ended_at is not None
    lasted = call.ended_at - call.answered_at
    assert lasted >= kills * (KilledInCall.HEARD + 2.0) + MESSAGE
    assert world.rows("SELECT disposition, cause, owner <> '' FROM attempt") == [("ANSWERED", "NORMAL_CLEARING", 1)]
    ((talked,),) = world.rows("SELECT talk_ms FROM attempt")
    assert talked / 1000 == pytest.approx(lasted, abs=0.1)
    world.close()


@both
def test_kills_make_no_call_longer_than_it_may_be(tmp_path: Path, inline: bool) -> None:
    world = played(tmp_path, 20, 0.5, inline=inline)
    assert violations(world) == []
    (call,) = world.oracle.calls
    assert call.answered_at is not None
    assert call.ended_at is not None
    longest = world.scenario.rules.max_duration
    assert longest - 1 <= call.ended_at - call.answered_at <= longest + 1
    assert (call.cause, world.rows("SELECT disposition FROM attempt")) == ("ALLOTTED_TIMEOUT", [("ANSWERED",)])
    world.close()


@both
def test_a_call_whose_dialer_stays_away_ends_politely_and_is_not_made_again(tmp_path: Path, inline: bool) -> None:
    world = played(tmp_path, 1, 20.0, inline=inline)
    assert violations(world) == []
    (call,) = world.oracle.calls
    assert call.answered_at is not None
    assert call.ended_at is not None
    least = KilledInCall.HEARD + WAIT - 1.0
    assert least <= call.ended_at - call.answered_at <= least + 7.0
    assert call.cause == "NORMAL_CLEARING"
    assert world.rows("SELECT disposition FROM attempt") == [("ANSWERED",)]
    world.close()
