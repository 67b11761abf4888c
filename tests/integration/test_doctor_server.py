"""The doctor on a PostgreSQL server and the simulator, over real sockets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from dialer.config import parse_config
from dialer.doctor.diagnosis import Diagnosis, Level
from dialer.doctor.diagnostics import Diagnostics
from dialer.interfaces import NodeState
from dialer.store.database import Database, NodeIdentity
from dialer.store.location import opened
from dialer.store.nodes import Nodes
from tests.grounds import new_database, standing_on
from tests.integration.test_doctor_faults import Bed, bad, new_id, now
from tests.postgresql import SUPERUSER

UNSAFE = ("durability", Level.FAILURE)
"""The server of the tests does not wait for its disk."""


@pytest.fixture
def url(postgres_server, tmp_path):
    with standing_on(postgres_server):
        yield new_database(tmp_path).replace("//dialer@", "//dialer:s3cret@")


async def examine(url: str, folder: Path, ahead: float = 0.0, node: str = "one") -> list[Diagnosis]:
    """By a doctor whose clock is ahead by so many seconds. The switch is not there: nothing more is said of it."""
    from twisted.internet import reactor

    bed = Bed(folder)
    raw: dict[str, Any] = {
        "database": {"url": url},
        "node": {"name": node},
        "switch": [{"port": 1, "password": "not the stock one"}],
        "http": {"endpoint": "tcp:0:interface=127.0.0.1"},
        "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
    }
    config = parse_config(raw)
    shifted = timedelta(seconds=ahead)
    findings = await Diagnostics(reactor, config, bed.path, lambda: now() + shifted, new_id, 5.0).run()
    assert (findings[-1].check, findings[-1].level) == ("switch", Level.FAILURE)
    assert not [one for one in findings if "s3cret" in one.text + one.advice]
    return findings[:-1]


def sql(url: str, statement: str) -> None:
    with opened(url) as connection:
        connection.execute(statement)
        connection.commit()


@pytest_twisted.ensureDeferred
async def test_a_server_is_looked_at_in_place_of_a_file(url, tmp_path):
    findings = await examine(url, tmp_path)
    assert [one.check for one in findings] == [
        *("permissions", "database", "connection", "durability", "db-clock", "connections", "nodes", "records", "files"),
    ]
    assert bad(findings) == [UNSAFE]
    assert "has the newest schema (PostgreSQL " in findings[1].text


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_away_or_has_an_old_schema_is_named(url, tmp_path):
    sql(url, "DELETE FROM schema_version WHERE version > 1")
    findings = await examine(url, tmp_path)
    assert bad(findings) == [("database", Level.FAILURE)]
    assert "run the upgrade command" in findings[1].text
    away = "postgresql://dialer:s3cret@127.0.0.1:1/dialer"
    findings = await examine(away, tmp_path)
    assert bad(findings) == [("database", Level.FAILURE)]
    assert "does not answer" in findings[1].text


@pytest_twisted.ensureDeferred
async def test_a_switch_that_somebody_has_drained_is_a_warning(url, tmp_path):
    sql(url, "INSERT INTO switch_drain (switch, drained_by, drained_at) VALUES ('fs1', 'ann', '2026-11-23 10:00:00')")
    findings = await examine(url, tmp_path)
    assert bad(findings) == [UNSAFE, ("switch", Level.WARNING)]
    (found,) = [one for one in findings if one.check == "switch"]
    assert found.text == "switch fs1 is drained by ann since 2026-11-23 10:00:00 UTC: no calls are begun on it"
    assert found.advice == "dialer switch resume fs1"


@pytest_twisted.ensureDeferred
async def test_a_clock_that_differs_from_the_databases_is_a_warning(url, tmp_path):
    assert bad(await examine(url, tmp_path, ahead=60.0)) == [UNSAFE, ("db-clock", Level.WARNING)]


@pytest_twisted.ensureDeferred
async def test_a_database_with_room_for_two_connections_is_too_small(url, tmp_path):
    sql(url, f'ALTER DATABASE "{url.rpartition("/")[2]}" CONNECTION LIMIT 2')
    findings = await examine(url, tmp_path)
    assert bad(findings) == [UNSAFE, ("connections", Level.WARNING)]
    assert "1 of 2 connections are in use" in next(one.text for one in findings if one.check == "connections")


@pytest_twisted.ensureDeferred
async def test_tables_that_the_user_may_not_write_are_named(url, tmp_path):
    admin = url.replace("//dialer:s3cret@", f"//{SUPERUSER}@")
    sql(admin, f"ALTER TABLE event_consumer OWNER TO {SUPERUSER}")
    sql(admin, "GRANT SELECT ON event_consumer TO dialer")
    findings = await examine(url, tmp_path)
    assert bad(findings) == [("database", Level.FAILURE), UNSAFE]
    assert "does not let dialer read and write event_consumer" in findings[1].text


@pytest_twisted.ensureDeferred
async def test_beside_nodes_at_work_all_are_named(url, tmp_path):
    from twisted.internet import reactor

    database = Database(url, reactor, dialling=True, node=NodeIdentity(name="two"))
    await database.start()
    try:
        state = NodeState(switches={"fs1:8021": "core"}, ready=True, figures={})
        await Nodes(database, now()).beat(state, now())
        findings = await examine(url, tmp_path, node="two")
        assert [one.text for one in findings if one.check == "nodes"] == ["this one is two; two dialling"]
        sql(url, "UPDATE node SET host = 'elsewhere'")
        assert bad(await examine(url, tmp_path, node="two")) == [UNSAFE, ("nodes", Level.FAILURE)]
    finally:
        await database.stop()
