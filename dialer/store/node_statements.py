"""The SQL of the nodes, apart from what runs it. Where it stands alone, it is PostgreSQL's."""

from __future__ import annotations

from typing import Final

from dialer.store.mapping import read_node

CLOCK: Final = "(clock_timestamp() AT TIME ZONE 'UTC')"
"""The server's clock, in UTC: leases count by it, whatever the clocks of the nodes say."""

# --- the dialling lock ----------------------------------------------------------------------------------------------------

ENTER: Final = (
    "INSERT INTO node (name, epoch, host, pid, version, ready, started_at, seen_at, lease_until, commits, "
    f"figures) VALUES (?, 1, ?, ?, ?, 0, {CLOCK}, {CLOCK}, {CLOCK}, 0, '{{}}') ON CONFLICT (name) DO NOTHING"
)
NODE: Final = (
    f"SELECT id, host, pid, session, lease_until <= {CLOCK}, date_part('epoch', {CLOCK} - seen_at)::int "
    "FROM node WHERE name = ?"
)
TAKE: Final = (
    "UPDATE node SET epoch = epoch + 1, host = ?, pid = ?, version = ?, switches = '{}', ready = 0, "
    f"started_at = {CLOCK}, seen_at = {CLOCK}, lease_until = {CLOCK} + ? * interval '1 second', stopped_at = NULL, "
    "session = pg_backend_pid() WHERE id = ? RETURNING epoch, commits"
)
RETURN: Final = (
    f"UPDATE node SET seen_at = {CLOCK}, lease_until = {CLOCK} + ? * interval '1 second', session = pg_backend_pid() "
    "WHERE id = ? AND epoch = ? RETURNING epoch"
)
REJOIN: Final = (
    f"UPDATE node SET epoch = epoch + 1, seen_at = {CLOCK}, lease_until = {CLOCK} + ? * interval '1 second', "
    "session = pg_backend_pid() WHERE id = ? RETURNING epoch"
)
ENTER_AGAIN: Final = (
    "INSERT INTO node (id, name, epoch, host, pid, version, ready, started_at, seen_at, lease_until, "
    f"session, commits, figures) VALUES (?, ?, ?, ?, ?, ?, 0, {CLOCK}, {CLOCK}, {CLOCK} + ? * interval '1 second', "
    "pg_backend_pid(), ?, '{}') ON CONFLICT DO NOTHING RETURNING epoch"
)
"""Of a node that was removed while its process was frozen; the lock that it holds goes by the id."""

COMMITS: Final = "SELECT commits FROM node WHERE id = ?"
CHECK: Final = f"UPDATE node SET commits = ? WHERE id = ? AND epoch = ? AND lease_until > {CLOCK}"
STANDING: Final = "SELECT epoch FROM node WHERE id = ?"
DISMISS: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ? AND datname = current_database()"

AT_WORK: Final = f"SELECT name, host, pid FROM node WHERE lease_until > {CLOCK} AND stopped_at IS NULL ORDER BY name"

# --- heartbeats -----------------------------------------------------------------------------------------------------------

ENTER_FILE: Final = (
    "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
    "figures) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (name) DO UPDATE SET "
    "epoch = node.epoch + (node.started_at <> excluded.started_at), host = excluded.host, pid = excluded.pid, "
    "version = excluded.version, switches = excluded.switches, ready = excluded.ready, "
    "started_at = excluded.started_at, seen_at = excluded.seen_at, lease_until = excluded.lease_until, stopped_at = NULL, "
    "figures = excluded.figures RETURNING epoch"
)
"""For SQLite, where the dialling lock is that of the file."""

BEAT: Final = (
    f"UPDATE node SET switches = ?, ready = ?, figures = ?, seen_at = {CLOCK}, stopped_at = NULL, "
    f"lease_until = {CLOCK} + ? * interval '1 second' WHERE id = ? AND epoch = ? RETURNING seen_at"
)
LEAVE: Final = "UPDATE node SET stopped_at = ?, ready = 0 WHERE name = ?"

# --- others ---------------------------------------------------------------------------------------------------------------

EVERYBODY: Final = f"SELECT name, ready = 1 AND lease_until > {CLOCK} FROM node ORDER BY id"
"""Every node, and whether it dials."""

OPEN_ELSEWHERE: Final = (
    "SELECT gateway_id, campaign_id, count(*) FROM attempt WHERE ended_at IS NULL AND owner <> ? "
    "GROUP BY gateway_id, campaign_id UNION ALL SELECT second_gateway_id, NULL, count(*) FROM attempt "
    "WHERE second_gateway_id IS NOT NULL AND ended_at IS NULL AND owner <> ? GROUP BY second_gateway_id"
)
"""Second legs are of no campaign. Parameters: name of the one who asks, twice."""

EXPIRED: Final = (
    f"SELECT id, name FROM node n WHERE lease_until <= {CLOCK} AND name <> ? AND EXISTS (SELECT 1 FROM attempt a "
    "WHERE a.owner = n.name AND a.ended_at IS NULL AND a.switch = ANY (?)) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
)
"""Dead nodes that left something open on these switches. Parameters: name of the one who asks, switches."""

FENCE: Final = "UPDATE node SET epoch = epoch + 1, ready = 0 WHERE id = ?"
"""From now on it commits nothing. Parameter: node."""

TAKE_OVER: Final = (
    "UPDATE attempt SET owner = ?, epoch = epoch + 1 WHERE owner = ? AND ended_at IS NULL AND switch = ANY (?) RETURNING id"
)
"""Parameters: new owner, old owner, switches."""

LIST: Final = (
    f"SELECT {read_node.columns}, (SELECT count(*) FROM attempt a WHERE a.owner = n.name AND a.ended_at IS NULL) "
    "FROM node n ORDER BY n.name"
)
"""A node, and how many attempts of it are open."""

FORGET: Final = "DELETE FROM node WHERE name = ?"
