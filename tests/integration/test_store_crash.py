"""A dialling process that is killed: what it was told is durable is there, and its successor may dial at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_twisted

from dialer.model import SubscriberStatus
from dialer.store.database import Database
from dialer.store.flow import Store
from tests.grounds import new_database
from tests.unit.store.support import NODE, World

pytestmark = pytest.mark.usefixtures("database_kind")

DIES = """
import os, signal, sys
from pathlib import Path
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from tests.unit.store.support import ended, world

async def life():
    async with world(Path(), contacts=30, url=sys.argv[1]) as w:
        first, *rest = await w.begun(20)
        await w.store.finish(ended(first))
        w.begun(5)
        os.kill(os.getpid(), signal.SIGKILL)

def told(failure):
    failure.printTraceback(sys.stderr)
    os._exit(1)

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(life()).addErrback(told))
reactor.run()
"""


@pytest_twisted.ensureDeferred
async def test_a_killed_process_leaves_what_it_was_told_is_durable(tmp_path):
    from twisted.internet import reactor

    root = Path(__file__).parents[2]
    url = new_database(tmp_path)
    died = subprocess.run([sys.executable, "-c", DIES, url], cwd=root, capture_output=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    database = Database(url, reactor, dialling=True, node=NODE)
    await database.start()
    try:
        found = await Store(database, reactor, node=NODE.name).open_attempts()
        progress = await World(database).seeds.progress()
    finally:
        await database.stop()
    assert [attempt.call_uuid for attempt in found] == [f"call-{n}" for n in range(2, 21)]
    assert progress.subscribers == {
        SubscriberStatus.START: 10,
        SubscriberStatus.IN_PROCESS: 19,
        SubscriberStatus.COMPLETE: 1,
    }
