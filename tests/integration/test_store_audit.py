"""Whatever the store does in the course of its work, the audit finds nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_twisted

from dialer.model import AttemptState, SubscriberStatus
from dialer.store.audit import audit
from tests.unit.store.support import LATER, NOW, ended, world


@pytest_twisted.ensureDeferred
async def test_a_campaign_on_its_way_breaks_no_invariant(tmp_path):
    async with world(tmp_path, contacts=4) as w:
        w.store.outbox = True

        def clean() -> bool:
            return audit(w.database.url).findings == ()

        assert clean()
        reached, retried, requeued, open_one = await w.begun(4)
        assert clean()
        w.store.move(reached, AttemptState.ANSWERED, NOW)
        await w.store.finish(ended(reached))
        await w.store.finish(ended(retried, SubscriberStatus.START, ready_at=LATER + timedelta(seconds=60)))
        await w.store.finish(ended(requeued, SubscriberStatus.START, ready_at=LATER, counts=False))
        assert clean()
        await w.contacts.set_status(1, open_one.plan.candidate.number, SubscriberStatus.ABORT, LATER)
        assert clean()
        await w.store.finish(ended(open_one, SubscriberStatus.START, ready_at=LATER))
        assert clean()
        assert w.subscriber(4)["status"] == SubscriberStatus.ABORT


@pytest.mark.parametrize("status", [s for s in SubscriberStatus if s <= SubscriberStatus.COMPLETE])
@pytest_twisted.ensureDeferred
async def test_what_a_user_asks_for_breaks_no_invariant(tmp_path, status):
    async with world(tmp_path, contacts=1) as w:
        await w.contacts.set_status(1, "1000", status, LATER)
        assert audit(w.database.url).findings == ()
        await w.contacts.set_status(1, "1000", SubscriberStatus.START, LATER)
        assert audit(w.database.url).findings == ()
        assert len(await w.store.candidates(1, LATER, 10)) == 1
