"""A dialer that takes records over HTTP: what a record does to a call of its own, and when nothing listens."""

from __future__ import annotations

import pytest
import pytest_twisted
import treq
from twisted.internet.task import deferLater

from dialer.calls.cdr_reconciler import RecordVerdict
from dialer.cli.run import API
from dialer.errors import CannotListen
from dialer.host import Host
from tests.integration.test_run_host import Here, config, on_new_database
from tests.unit.cdr.bodies import record

pytestmark = pytest.mark.usefixtures("database_kind")

RECORDS = {"endpoint": "tcp:0:interface=127.0.0.1", "password": "secret word"}


async def start(folder, **sections: object) -> Here:
    from twisted.internet import reactor

    host = Host(reactor, on_new_database(folder, config(**sections)), folder, API)
    await host.start()
    return Here(host)


def attempts(here: Here) -> list[tuple[str, str | None, str | None]]:
    return here.sql("SELECT call_uuid, disposition, cause FROM attempt ORDER BY id")


async def post(here: Here, body: bytes, password: str = "secret word") -> int:
    assert here.host.records is not None
    url = f"http://{here.host.records.address}/cdr/?uuid=x"
    answer = await treq.post(url, body, headers={"Content-Type": "application/json"}, auth=("freeswitch", password))
    await treq.content(answer)
    await deferLater(here.host.reactor, 0)
    return int(answer.code)


@pytest_twisted.ensureDeferred
async def test_a_posted_record_ends_a_live_call_and_a_second_one_changes_nothing(tmp_path):
    here = await start(tmp_path, cdr=RECORDS)
    try:
        await here.call(1)
        [(uuid, _, _)] = attempts(here)
        account = here.host.service.cdr_reconciler.account_code
        assert await post(here, record(uuid, account=account), "wrong") == 401
        assert await post(here, record(uuid, account="dialer-other")) == 200
        assert attempts(here) == [(uuid, None, None)]
        assert await post(here, record(uuid, account=account)) == 200
        await here.host.service.lifecycle.register.when_idle()
        assert attempts(here) == [(uuid, "ANSWERED", "NORMAL_CLEARING")]
        assert await post(here, record(uuid, "busy.json", account=account)) == 200
        assert attempts(here) == [(uuid, "ANSWERED", "NORMAL_CLEARING")]
        assert here.host.service.cdr_reconciler.counts[RecordVerdict.KNOWN] == 1
    finally:
        await here.host.stop()


@pytest_twisted.ensureDeferred
async def test_a_record_for_another_process_is_kept_with_its_attempt(tmp_path):
    here = await start(tmp_path, cdr=RECORDS)
    try:
        await here.call(1)
        [(uuid, _, _)] = attempts(here)
        account = here.host.service.cdr_reconciler.account_code
        here.host.service.lifecycle.forget([uuid])
        assert await post(here, record(uuid, account=account)) == 200
        assert attempts(here) == [(uuid, None, None)]
        assert here.host.service.cdr_reconciler.counts[RecordVerdict.KEPT] == 1
    finally:
        await here.host.stop()


@pytest_twisted.ensureDeferred
async def test_no_records_are_taken_unless_there_is_a_password(tmp_path):
    here = await start(tmp_path)
    try:
        assert here.host.records is None
    finally:
        await here.host.stop()


@pytest_twisted.ensureDeferred
async def test_a_port_for_records_that_is_taken_stops_the_start_and_is_named(tmp_path):
    from twisted.internet import reactor
    from twisted.internet.protocol import Factory

    port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    try:
        endpoint = f"tcp:{port.getHost().port}:interface=127.0.0.1"
        with pytest.raises(CannotListen, match=r"cdr\.endpoint"):
            await start(tmp_path, cdr={**RECORDS, "endpoint": endpoint})
    finally:
        await port.stopListening()
