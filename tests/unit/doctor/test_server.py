"""What the doctor makes of a PostgreSQL server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from dialer.doctor.database import ServerFacts, judge, process_of
from dialer.doctor.diagnosis import Diagnosis, Level
from dialer.model import NodeRecord
from dialer.store.nodes import NodeEntry

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WELL = ServerFacts(
    version="15.5",
    user="dialer",
    ahead=-0.2,
    standby=False,
    pooled=False,
    local=True,
    encrypted=False,
    settings={
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "synchronous_standby_names": "",
        "default_transaction_read_only": "off",
    },
    standbys=0,
    unwritable=(),
    most=97,
    connections=3,
    nodes=(),
)


def node(name: str, **changes: Any) -> NodeEntry:
    record = NodeRecord(
        id=1,
        name=name,
        epoch=1,
        host="here",
        pid=4711,
        version="1.0",
        switches={"fs1:8021": "core"},
        ready=True,
        started_at=NOW,
        seen_at=NOW,
        lease_until=NOW + timedelta(seconds=9),
    )
    told = {key: changes.pop(key) for key in ("open_attempts", "alive") if key in changes}
    return NodeEntry(node=evolve(record, **changes), moment=NOW, **{"open_attempts": 0, "alive": True, **told})


DEAD = node("b", alive=False, open_attempts=3)


def bad(facts: ServerFacts) -> list[Diagnosis]:
    return [one for one in judge(facts, "dialer at db:5432", "a", "here") if one.level is not Level.OK]


def changed(**settings: str) -> ServerFacts:
    return evolve(WELL, settings={**WELL.settings, **settings})


def test_a_server_that_is_well_is_told_so_in_every_respect() -> None:
    findings = list(judge(WELL, "dialer at db:5432", "a", "here"))
    assert [one.check for one in findings] == ["database", "connection", "durability", "db-clock", "connections", "nodes"]
    assert {one.level for one in findings} == {Level.OK}


@pytest.mark.parametrize(
    ("facts", "check", "level", "said"),
    [
        (evolve(WELL, standby=True), "database", Level.FAILURE, "is a standby"),
        (changed(default_transaction_read_only="on"), "database", Level.FAILURE, "lets dialer only read"),
        (evolve(WELL, unwritable=("attempt", "node")), "database", Level.FAILURE, "read and write attempt, node"),
        (evolve(WELL, pooled=True), "connection", Level.WARNING, "pooler"),
        (evolve(WELL, local=False), "connection", Level.WARNING, "not encrypted"),
        (changed(fsync="off"), "durability", Level.FAILURE, "fsync = off"),
        (changed(synchronous_commit="off"), "durability", Level.FAILURE, "synchronous_commit = off"),
        (changed(synchronous_standby_names="ANY 1 (x)"), "durability", Level.FAILURE, "waits for a standby"),
        (changed(full_page_writes="off"), "durability", Level.WARNING, "full_page_writes = off"),
        (evolve(WELL, ahead=1.1), "db-clock", Level.WARNING, "1.1 seconds ahead of ours"),
        (evolve(WELL, ahead=-90.0), "db-clock", Level.WARNING, "90.0 seconds behind ours"),
        (evolve(WELL, connections=96), "connections", Level.WARNING, "96 of 97"),
        (evolve(WELL, most=6, nodes=(node("b", alive=False),) * 2), "connections", Level.WARNING, "3 of 6"),
        (evolve(WELL, nodes=(node("a", host="there"),)), "nodes", Level.FAILURE, "process 4711 on there"),
        (evolve(WELL, nodes=(DEAD,)), "nodes", Level.WARNING, "node b is dead, and its open attempts (3)"),
        (evolve(WELL, nodes=(DEAD, node("c", switches={"fs2:8021": "core"}))), "nodes", Level.WARNING, "nobody who ends them"),
        (evolve(WELL, nodes=(DEAD, node("c", ready=False))), "nodes", Level.WARNING, "nobody who ends them"),
    ],
)
def test_each_fault_of_a_server_is_named(facts: ServerFacts, check: str, level: Level, said: str) -> None:
    (finding,) = bad(facts)
    assert (finding.check, finding.level) == (check, level)
    assert said in finding.text
    assert finding.advice


@pytest.mark.parametrize(
    "facts",
    [
        evolve(WELL, local=False, encrypted=True),
        evolve(changed(synchronous_standby_names="x"), standbys=1),
        evolve(WELL, ahead=0.9),
        evolve(WELL, nodes=(node("a"), node("b", stopped_at=NOW, alive=False))),
        evolve(WELL, nodes=(DEAD, node("c"))),
        evolve(WELL, nodes=(evolve(DEAD, open_attempts=0),)),
    ],
)
def test_what_is_no_fault_is_not_named(facts: ServerFacts) -> None:
    assert bad(facts) == []


def test_the_process_of_this_node_is_the_living_one_of_its_name_on_this_machine() -> None:
    nodes = (node("a", pid=1, host="there"), node("b", pid=2), node("c", pid=3, alive=False))
    assert [process_of(nodes, name, "here") for name in "abc"] == [None, 2, None]
