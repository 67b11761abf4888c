"""How many rows of an uploaded file go into one transaction."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from dialer.management import Management
from tests.unit.api.v2.support import Client
from tests.unit.api.v2.test_imports import done
from tests.unit.api.world import World


@pytest_twisted.ensureDeferred
async def test_transactions_that_take_no_time_become_larger(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.campaign()
    for name, value in {"ROWS": 4, "FEWEST": 2}.items():
        monkeypatch.setattr(f"dialer.management.import_run.{name}", value)
    sizes, ask = [], Management.ask_in_short_turn

    def asked(management: Management, use_case: Any, who: Any, step: Any) -> Any:
        sizes.append(len(step.chunk.entries))
        return ask(management, use_case, who, step)

    monkeypatch.setattr(Management, "ask_in_short_turn", asked)
    text = "contact\n" + "".join(f"+121255501{place:02}\n" for place in range(20))
    assert (await done(api, Client(api), text))["taken"] == 20
    assert sizes == [4, 4, 6, 6]  # each is read while the one before is taken
