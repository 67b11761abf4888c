"""The SQL of the nodes, apart from what runs it. Where it stands alone, it is PostgreSQL's."""

from __future__ import annotations

from typing import Final

CLOCK: Final = "(clock_timestamp() AT TIME ZONE 'UTC')"
"""The server's clock, in UTC: leases count by it, whatever the clocks of the nodes say."""

# --- the right to dial ----------------------------------------------------------------------------------------------------

ENTER: Final = (
    "INSERT INTO node (name, epoch, host, pid, version, switch, core_uuid, ready, started_at, seen_at, lease_until, commits, "
    f"figures) VALUES (?, 1, ?, ?, ?, '', '', 0, {CLOCK}, {CLOCK}, {CLOCK}, 0, '{{}}') ON CONFLICT (name) DO NOTHING"
)
NODE: Final = (
    f"SELECT id, host, pid, session, lease_until <= {CLOCK}, date_part('epoch', {CLOCK} - seen_at)::int "
    "FROM node WHERE name = ?"
)
TAKE: Final = (
    "UPDATE node SET epoch = epoch + 1, host = ?, pid = ?, version = ?, switch = '', core_uuid = '', ready = 0, "
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
COMMITS: Final = "SELECT commits FROM node WHERE id = ?"
CHECK: Final = f"UPDATE node SET commits = ? WHERE id = ? AND epoch = ? AND lease_until > {CLOCK}"
STANDING: Final = "SELECT epoch FROM node WHERE id = ?"
DISMISS: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ? AND datname = current_database()"

AT_WORK: Final = f"SELECT name, host, pid FROM node WHERE lease_until > {CLOCK} AND stopped_at IS NULL ORDER BY name"
