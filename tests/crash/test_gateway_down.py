"""A SIP gateway that its switch knows to be down, on the whole dialer, the simulator and a real database: nobody is called
through it, that is told once, and everybody is called once it is up. A dialer that is killed meanwhile changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve

from dialer.esl.inbound import SwitchConfig
from tests.crash.network import Fate
from tests.crash.oracle import violations
from tests.crash.scenarios import Cut, Fault, Kill, Plan, Restart, Scenario
from tests.crash.world import World

UP = 9.0
"""Seconds until it is."""
TOLD = (
    "SELECT kind, json_extract(data, '$.reason') FROM event WHERE kind IN ('gateway.down', 'gateway.up') "
    "UNION ALL SELECT state, '' FROM told_state WHERE noun = 'gateway'"
)


class Down(World):
    """`told` is what was told of the gateway before it was up, `invited` how many had been called by then."""

    told: tuple[tuple[str, str], ...] = ()
    invited: int = 0

    def _switch_config(self, index: int) -> SwitchConfig:
        return evolve(super()._switch_config(index), gateway_interval=1.0)

    def run(self) -> None:
        self._take_down("carrier")
        self.clock.callLater(UP, self._up)
        super().run()

    def _up(self) -> None:
        self.told = tuple(self.rows(TOLD))
        self.invited = len(self.oracle.invites)
        self._take_down()


DISTURBED: Mapping[str, Mapping[int, Fault]] = {
    "nothing": {},
    **{f"a kill at {point}": {point: Kill(Fate.ARRIVES, 0.3)} for point in range(220, 540, 40)},
    "the switch restarts": {260: Restart(0.5)},
    "the connections break": {260: Cut()},
}


@pytest.mark.parametrize("disturbed", DISTURBED)
def test_a_gateway_that_is_down_is_left_alone_told_of_once_and_used_when_it_is_up(disturbed: str, tmp_path: Path) -> None:
    world = Down(Scenario(name="down", callees=("answers:ring=0.2,talk=0.7",) * 5), Plan(DISTURBED[disturbed]), tmp_path)
    world.run()
    assert violations(world) == []
    assert world.invited == 0
    assert sorted(kind for kind, _ in world.told) == ["down", "gateway.down"]
    assert world.rows("SELECT status, count_attempt FROM subscriber") == [(5, 1)] * 5
    assert [kind for kind, _ in world.rows(TOLD)] == ["gateway.down", "gateway.up"]
    # But for those that a start plans before the first answer of its switch, no call had to fail to show it.
    assert len(world.rows("SELECT 1 FROM attempt WHERE cause = 'GATEWAY_DOWN'")) <= 3 * (1 + len(DISTURBED[disturbed]))
    world.close()
