"""The database, as the doctor sees it; on a PostgreSQL server also whether a dialer can work with it, and what would go wrong
some day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from dialer.doctor.diagnosis import Diagnosis, failure, ok, warning
from dialer.interfaces import Now
from dialer.management import Management, gateways
from dialer.model import Campaign, Gateway, SwitchDrain, VoipAppType
from dialer.model.user import ADMINISTRATOR
from dialer.store import call_records
from dialer.store.connection import Dialect
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.node_statements import CLOCK
from dialer.store.nodes import NodeEntry, Standing, entries
from dialer.store.times import from_column

CLOCK_TOLERANCE: Final = 1.0
"""Seconds. Nodes go by the database's clock; people who compare logs do not."""

SPARE: Final = 2
"""Connections that there should be room for beside the nodes: for commands, each of which takes one for a moment."""

_KNOWN: Final = (
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', "
    "'synchronous_standby_names', 'default_transaction_read_only')"
)
_SERVER: Final = "SELECT current_setting('server_version'), current_user, pg_is_in_recovery(), pg_backend_pid()"
_WIRE: Final = (
    "SELECT coalesce(inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1', true), "
    "coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)"
)
_UNWRITABLE: Final = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = (SELECT relnamespace FROM pg_class "
    "WHERE oid = 'schema_version'::regclass) AND NOT (has_table_privilege(oid, 'SELECT') AND "
    "has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) "
    "ORDER BY relname"
)
_ROOM: Final = """
WITH used AS (SELECT datname, usename FROM pg_stat_activity WHERE datname IS NOT NULL), limits AS (
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int AS most, (SELECT count(*) FROM used) AS taken
    UNION ALL SELECT rolconnlimit, (SELECT count(*) FROM used WHERE usename = rolname)
        FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
    UNION ALL SELECT datconnlimit, (SELECT count(*) FROM used u WHERE u.datname = d.datname)
        FROM pg_database d WHERE datname = current_database() AND datconnlimit >= 0
)
SELECT most, taken FROM limits ORDER BY most - taken LIMIT 1
"""
"""The limit that is reached first: the server's, the user's or the database's; and how many connections it counts."""


@frozen(kw_only=True)
class ServerFacts:
    """`ahead` are the seconds by which the server's clock is ahead of ours; `pooled` means that something stands between;
    `connections` of `most` are taken, by the limit that is reached first; `standbys` are connected to it."""

    version: str
    user: str
    ahead: float
    standby: bool
    pooled: bool
    local: bool
    encrypted: bool
    settings: Mapping[str, str]
    standbys: int
    unwritable: tuple[str, ...]
    most: int
    connections: int
    nodes: tuple[NodeEntry, ...]


def read_facts(connection: Any, now: Now) -> ServerFacts:
    """Ask for them, on the database thread."""
    before = now()
    (told,) = connection.execute(f"SELECT {CLOCK}").fetchone()
    after = now()
    version, user, standby, backend = connection.execute(_SERVER).fetchone()
    local, encrypted = connection.execute(_WIRE).fetchone()
    most, taken = connection.execute(_ROOM).fetchone()
    (standbys,) = connection.execute("SELECT count(*) FROM pg_stat_replication").fetchone()
    return ServerFacts(
        version=version,
        user=user,
        ahead=(from_column(told) - (before + (after - before) / 2)).total_seconds(),
        standby=standby,
        # A pooler gives its clients numbers of its own.
        pooled=connection.info.backend_pid != backend,
        local=local,
        encrypted=encrypted,
        settings=dict(connection.execute(_KNOWN).fetchall()),
        standbys=standbys,
        unwritable=tuple(name for (name,) in connection.execute(_UNWRITABLE)),
        most=most,
        connections=taken,
        nodes=tuple(entries(connection, now())),
    )


def judge(facts: ServerFacts, where: str, name: str, host: str) -> Iterator[Diagnosis]:
    """All findings. `where` is what the database is called, `name` and `host` are this node's."""
    yield judge_writable(facts, where)
    yield judge_wire(facts)
    yield judge_durability(facts)
    yield judge_clock(facts.ahead)
    yield judge_room(facts)
    yield from judge_nodes(facts.nodes, name, host)


def judge_writable(facts: ServerFacts, where: str) -> Diagnosis:
    """A standby takes no writes, nor does a user without the right to."""
    if facts.standby:
        return failure("database", f"{where} is a standby, which cannot be written", "name the primary server in database.url")
    if facts.settings["default_transaction_read_only"] == "on":
        repair = f"ALTER ROLE {facts.user} RESET default_transaction_read_only; the same for the database"
        return failure("database", f"{where} lets {facts.user} only read (default_transaction_read_only)", repair)
    if facts.unwritable:
        tables = ", ".join(facts.unwritable[:5])
        return failure(
            "database",
            f"{where} does not let {facts.user} read and write {tables}",
            f"ALTER DATABASE and its tables OWNER TO {facts.user}, or GRANT it SELECT, INSERT, UPDATE, DELETE on them",
        )
    return ok("database", f"{where} opens and has the newest schema (PostgreSQL {facts.version})")


def judge_wire(facts: ServerFacts) -> Diagnosis:
    """The way between this machine and the server: a pooler, encryption."""
    if facts.pooled:
        return warning(
            "connection",
            "a connection pooler stands between: a node's right to dial is a lock of its session",
            "connect to the server itself, or let the pooler keep sessions (pgbouncer: pool_mode = session)",
        )
    if not facts.local and not facts.encrypted:
        repair = "let the server speak TLS, and add ?sslmode=verify-full to database.url"
        return warning("connection", "the connection to another machine is not encrypted", repair)
    return ok("connection", "encrypted (TLS)" if facts.encrypted else "stays on this machine")


def judge_durability(facts: ServerFacts) -> Diagnosis:
    """A change that was answered as stored has to survive a power cut."""
    check, settings = "durability", facts.settings
    if settings["fsync"] == "off":
        return failure(
            check, "the server does not wait for its disk (fsync = off): a power cut ruins it", "fsync = on, restart"
        )
    if settings["synchronous_commit"] == "off":
        return failure(
            check,
            "COMMIT does not wait for the disk (synchronous_commit = off), although each session asks for it",
            "see what stands between (a pooler?)",
        )
    if settings["synchronous_standby_names"] and not facts.standbys:
        return failure(
            check,
            "every COMMIT waits for a standby, and none is connected (synchronous_standby_names)",
            "start the standby, or empty synchronous_standby_names and reload",
        )
    if settings["full_page_writes"] == "off":
        repair = "full_page_writes = on, unless the file system never writes half a page"
        return warning(check, "a power cut can damage pages that are being written (full_page_writes = off)", repair)
    return ok(check, f"COMMIT waits for the disk (synchronous_commit = {settings['synchronous_commit']})")


def judge_clock(ahead: float) -> Diagnosis:
    """The dialer goes by the database's clock, whatever the difference."""
    if abs(ahead) > CLOCK_TOLERANCE:
        which = "ahead of" if ahead > 0 else "behind"
        text = f"the database's clock is {abs(ahead):.1f} seconds {which} ours"
        return warning("db-clock", text, "set both (NTP); the dialer goes by the database's, by which campaigns begin and end")
    return ok("db-clock", f"the database's clock and ours differ by {abs(ahead):.3f} seconds")


def judge_room(facts: ServerFacts) -> Diagnosis:
    """Each node has one connection; those that do not run may be started."""
    idle = sum(1 for entry in facts.nodes if not entry.alive)
    said = f"{facts.connections} of {facts.most} connections are in use"
    if facts.most - facts.connections < idle + SPARE:
        repair = "raise max_connections, or the CONNECTION LIMIT of the user or the database; or end what uses them"
        return warning("connections", f"{said}; each node needs one, and each command for a moment", repair)
    return ok("connections", said)


def judge_drains(drains: Sequence[SwitchDrain]) -> Iterator[Diagnosis]:
    """A warning for each switch on which no calls are begun because somebody said so."""
    for each in drains:
        yield warning("switch", f"{each.text}: no calls are begun on it", f"dialer switch resume {each.switch}")


def judge_nodes(nodes: Sequence[NodeEntry], name: str, host: str) -> Iterator[Diagnosis]:
    """The other nodes. One finding, and one for each that is wrong."""
    told = ", ".join(f"{entry.node.name} {entry.standing}" for entry in nodes) or "none has dialled yet"
    yield ok("nodes", f"this one is {name}; {told}")
    for entry in nodes:
        if entry.node.name == name and entry.alive and entry.node.host != host:
            yield failure(
                "nodes",
                f"node {name} is at work already: process {entry.node.pid} on {entry.node.host}",
                "give this dialer a name of its own ([node] name)",
            )
        if (
            entry.standing is Standing.DEAD
            and entry.open_attempts
            and (_without_rescuer(entry, nodes) or not entry.node.switches)
        ):
            left = ", ".join(_without_rescuer(entry, nodes)) or "unknown"
            yield warning(
                "nodes",
                f"node {entry.node.name} is dead, and its open attempts ({entry.open_attempts}) have nobody who ends them",
                f"start it, or another node with the same switches ({left})",
            )


def _without_rescuer(dead: NodeEntry, nodes: Sequence[NodeEntry]) -> list[str]:
    """The switches of a dead node that no other node is connected to."""
    there = {
        name for entry in nodes if entry.standing is Standing.DIALLING for name, core in entry.node.switches.items() if core
    }
    return [name for name in dead.node.switches if name not in there]


def process_of(nodes: Sequence[NodeEntry], name: str, host: str) -> int | None:
    """The process on this machine that is the node `name`."""
    return next(
        (entry.node.pid for entry in nodes if (entry.node.name, entry.node.host, entry.alive) == (name, host, True)), None
    )


@frozen(kw_only=True)
class State:
    """`campaigns` are the started ones, `gateways` the active ones, `names` those of all gateways, `apps` the kinds of voice
    application that exist; `server` is None when the database is a file. `oldest_record` is when the oldest attempt was begun,
    None when there is none; `drains` are the switches that somebody has drained."""

    installation: str
    campaigns: tuple[Campaign, ...]
    gateways: tuple[Gateway, ...]
    names: frozenset[str]
    apps: frozenset[VoipAppType]
    server: ServerFacts | None
    oldest_record: datetime | None
    drains: tuple[SwitchDrain, ...] = ()


async def read_state(url: str, reactor: Any, now: Now) -> State:
    """Read it, beside a dialer that may be running. Fails with `DialerError`: no database, another schema, damaged."""
    database = Database(url, reactor)
    try:
        await database.start()
        management = Management(database, now)
        snapshot = await Store(database, reactor, node="doctor").snapshot()
        ways = await management.ask(gateways.listed, ADMINISTRATOR)
        apps = await management.ask(gateways.applications, ADMINISTRATOR)
        is_server = database.dialect is Dialect.POSTGRESQL
        server = await database.run(lambda connection: read_facts(connection, now)) if is_server else None
        oldest_record = await database.run(call_records.oldest)
    finally:
        await database.stop()
    return State(
        installation=database.installation_id,
        campaigns=snapshot.campaigns,
        gateways=tuple(gateway for gateway in ways if gateway.status),
        names=frozenset(gateway.name for gateway in ways),
        apps=frozenset(app.type for app in apps),
        server=server,
        oldest_record=oldest_record,
        drains=tuple(snapshot.drained.values()),
    )


def dialling_process(database: Path) -> int | None:
    """The process that dials with a SQLite file; None when there is none, or it cannot be told.

    The kernel's list is read, rather than the lock tried: a dialer that starts at that moment must get it.
    """
    try:
        inode = str(Path(f"{database.resolve()}.lock").stat().st_ino)
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    for line in locks.splitlines():
        # 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF; what waits for a lock has "->" in the second place.
        match line.split():
            case [_, "FLOCK", _, _, holder, where, *_] if where.rpartition(":")[2] == inode and holder.isdigit():
                return int(holder) or None
            case _:
                continue
    return None
