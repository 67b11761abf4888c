"""Begins calls of campaign 1 until none is left, or it is killed: `python -m tests.caller_id_begins URL`. Tells each batch."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime, timedelta

from twisted.internet.task import Clock

from dialer.cli.blocking import with_database
from dialer.model import Plan
from dialer.store.database import Database
from dialer.store.flow import Store

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


async def begin(database: Database) -> None:
    """Until nothing can be begun any more."""
    store, begun = Store(database, Clock(), node="here"), 1
    while begun:
        snapshot = await store.snapshot()
        (campaign,) = snapshot.campaigns
        plans = [
            Plan(
                call_uuid=str(uuid.uuid4()),
                candidate=candidate,
                campaign=campaign,
                gateway=snapshot.gateways[1],
                dial_string="loopback/1",
                due_at=NOW,
            )
            for candidate in await store.candidates(1, NOW, 3)
        ]
        until = NOW + timedelta(seconds=60)
        begun = len(await store.begin(plans, NOW, until, until))
        sys.stdout.write(f"{begun}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with_database(sys.argv[1], begin, dialling=True)
