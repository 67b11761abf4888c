"""A trunk that refuses everything, on the whole dialer, the simulator and a real database: nobody is charged, the campaign
says why, and once the trunk is mended everybody is called. A dialer that is killed meanwhile changes nothing of that. One that
goes on refusing us has its campaign paused: once, with the reason, whenever the dialer is killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve

from dialer.simulator.callees import NumberPlan, parse_pattern
from tests.crash.network import Fate
from tests.crash.oracle import violations
from tests.crash.scenarios import Fault, Kill, Plan, Scenario
from tests.crash.world import World

MENDED = 25.0
"""Seconds until the trunk works."""
PATIENCE = 75.0
"""Seconds: it is tried again 32 s after the sixth refusal."""

TRUNKS = {"unauthorized": 401, "forbidden": 403, "challenged": 407, "not_acceptable": 488, "unavailable": 503}


class Trunk(World):
    """Its callees answer from `MENDED` on."""

    told: str = ""
    before: tuple[tuple[int, int], ...] = ()

    def run(self) -> None:
        self.clock.callLater(MENDED - 0.1, self._look)
        self.clock.callLater(MENDED, self._mend)
        super().run()

    def _look(self) -> None:
        self.before = tuple(self.rows("SELECT status, count_attempt FROM subscriber"))
        scheduler = self.service.scheduler
        (campaign,) = scheduler._snapshot.campaigns or scheduler.lifecycle._rules.values()
        reason = self.service.explain(campaign, None)  # type: ignore[arg-type]
        self.told = "" if reason is None else reason.text

    def _mend(self) -> None:
        for simulator in self.simulators:
            switch = simulator.switch
            switch.config = evolve(switch.config, plan=NumberPlan((parse_pattern("*=answers:ring=0.2,talk=0.7"),)))


@pytest.mark.parametrize("callee", TRUNKS)
@pytest.mark.parametrize("faults", [{}, {400: Kill(Fate.ARRIVES, 0.3)}], ids=["no kill", "a kill"])
def test_a_broken_trunk_charges_nobody_and_all_are_called_once_it_is_mended(
    callee: str, faults: Mapping[int, Fault], tmp_path: Path
) -> None:
    trunk = Trunk(Scenario(name=f"trunk-{callee}", callees=(callee,) * 5, patience=PATIENCE), Plan(faults), tmp_path)
    trunk.run()
    assert trunk.kills == len(faults)
    assert {status for status, _ in trunk.before} == {1}
    assert f"SIP {TRUNKS[callee]}" in trunk.told
    assert violations(trunk) == []
    assert trunk.rows("SELECT status FROM subscriber") == [(5,)] * 5
    # Of a call that ended while no dialer lived nobody can tell how; no other one counts but those that were answered.
    charged = trunk.rows("SELECT cause FROM attempt WHERE counts_as_attempt = 1 AND cause <> 'NORMAL_CLEARING'")
    assert charged in ([], [("UNKNOWN",)] * len(faults))
    trunk.close()


# --- pausing ----------------------------------------------------------------------------------------------------------------

PAUSED = "SELECT status, pause_reason, (SELECT count(*) FROM event WHERE kind = 'campaign.paused') FROM campaign"
RESUME = "UPDATE campaign SET status = 1, pause_reason = '' WHERE status = 2"


class Refusing(Trunk):
    """Its gateway pauses campaigns after three refusals; when it is mended, somebody resumes them. `paused_at` is the kill
    point at which that was first seen."""

    paused_at: int = 0
    paused: tuple[tuple[int, str, int], ...] = ()

    def run(self) -> None:
        self.rows("UPDATE gateway SET rules = '{\"pause_after\": 3}'")
        super().run()

    def point(self, name: str) -> None:
        super().point(name)
        if not self.paused_at and self.rows("SELECT 1 FROM campaign WHERE status = 2"):
            self.paused_at = self.points

    def _look(self) -> None:
        self.paused = tuple(self.rows(PAUSED))
        self.before = tuple(self.rows("SELECT status, count_attempt FROM subscriber"))

    def _mend(self) -> None:
        super()._mend()
        self.rows(RESUME)


def refusing(faults: Mapping[int, Fault], folder: Path) -> Refusing:
    trunk = Refusing(Scenario(name="refusing", callees=("unauthorized",) * 5), Plan(faults), folder)
    trunk.run()
    trunk.close()
    return trunk


def test_a_trunk_that_goes_on_refusing_us_pauses_its_campaign_once_whenever_the_dialer_is_killed(tmp_path: Path) -> None:
    """Killed at each point from the last refusal on until the news of the pause has arrived."""
    undisturbed = refusing({}, tmp_path)
    paused_at = undisturbed.paused_at
    assert paused_at
    plans: list[Mapping[int, Fault]] = [{}]
    plans += [{point: Kill(fate, 0.3)} for point in range(paused_at - 12, paused_at + 6) for fate in Fate]
    for faults in plans:
        trunk = Refusing(Scenario(name="refusing", callees=("unauthorized",) * 5), Plan(faults), tmp_path)
        trunk.run()
        assert violations(trunk) == [], faults
        [(status, reason, told)] = trunk.paused
        assert (status, told) == (2, 1), faults
        assert reason.startswith("gateway carrier refused 3 calls in a row (CALL_REJECTED, SIP 401"), faults
        assert {state for state, _ in trunk.before} == {1}, faults
        assert sum(charged for _, charged in trunk.before) <= len(faults), faults  # an end that nobody saw
        assert trunk.rows("SELECT status FROM subscriber") == [(5,)] * 5
        trunk.close()
