"""A PostgreSQL server for tests: a throw-away cluster on a free loopback port, gone with the process that started it.

Settings are PostgreSQL's own but for the ones that guard against a loss of power, which no test can cause: a crash of the
server is survived as on a real machine. What measures speed asks for a durable server instead.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psycopg2
from attrs import define, field

from tests.postgresql_programs import MEMORY, Account, find_programs, has_room_in_memory, new_folder, usable
from tests.processes import is_alive, lasting_port, process_stat

SUPERUSER = "postgres"
OWNER = "dialer"
"""Whom the databases belong to: a role without further rights, as an operator would make for the dialer."""
WAIT_SECONDS = 60.0
"""How long a start, with its recovery, or a stop may take."""

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 100
log_line_prefix = '%m [%p] %d '
"""
FORGETFUL = """
fsync = off
full_page_writes = off
max_wal_size = 256MB
"""

# Ends the server and removes its folders as soon as the process at the other end of the pipe is gone, however it went. It is
# told the server's process id, or an empty line while there is no server.
WATCHER = """
while read -r line; do server=$line; done
if [ -n "$server" ]; then
    kill -QUIT "$server" 2>/dev/null
    tries=0
    while grep -qs '^State:.[^ZX]' "/proc/$server/status" && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
fi
rm -rf "$@"
"""

STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class ServerFailed(Exception):
    """The server did not start or stop. The text ends with its log."""


@define(eq=False)
class Server:
    """A cluster of its own. Make one by `Server.running`, which starts it and leaves nothing behind."""

    programs: Path
    folder: Path
    data: Path
    account: Account | None
    port: int
    watcher: subprocess.Popen[str]
    process: subprocess.Popen[bytes] | None = None
    names: Iterator[int] = field(factory=lambda: count(1))
    kept: Any = None
    """A connection for what is done again and again."""

    @classmethod
    @contextmanager
    def running(cls, durable: bool = False) -> Iterator[Server]:
        """A started server. When the block ends, or this process dies, the server ends and its folders are removed. A durable
        one keeps its data on the disk and waits for the disk, as an operator's does."""
        account = Account.unprivileged()
        programs = find_programs()
        disk = Path(tempfile.gettempdir())
        folder = new_folder(account, disk)
        data = new_folder(account, MEMORY if has_room_in_memory() and not durable else disk)
        command = ["/bin/sh", "-c", WATCHER, "sh", str(folder), str(data)]
        watcher = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, bufsize=1, cwd="/", start_new_session=True)
        try:
            server = cls(usable(programs, account, folder), folder, data, account, lasting_port(), watcher)
            server._create(SETTINGS if durable else SETTINGS + FORGETFUL)
            try:
                server.start()
                with closing(server._connect()) as connection, connection.cursor() as cursor:
                    cursor.execute(f"CREATE ROLE {OWNER} LOGIN")
                yield server
            finally:
                server.stop("immediate")
        finally:
            watcher.communicate()

    def url(self, name: str) -> str:
        """The address of a database, whether it exists or not."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def log(self) -> str:
        """What the server wrote since it was made."""
        return (self.folder / "log").read_text(errors="replace")

    # --- its life -----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, on the same port as before, and wait until it takes connections: after a crash, until it has recovered.
        Does nothing when it runs."""
        if self.process and self.process.poll() is None:
            return
        with (self.folder / "log").open("ab") as log:
            self.process = self._spawn("postgres", "-D", self.data, "-p", self.port, stdout=log, stderr=log)
        self._watch(self.process.pid)
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._connect().close()
                return
            except psycopg2.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise ServerFailed(f"{error}\n{self.log()[-2000:]}") from error
                time.sleep(0.01)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it as `pg_ctl stop` does: `fast` ends the connections in order, `immediate` leaves a recovery to the next
        start."""
        if self.process:
            self.process.send_signal(STOP_SIGNALS[mode])
            self._ended()

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop and start."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """`kill -9` of all its processes: a crash. The next start recovers."""
        if not self.process:
            return
        # A server that is halted starts no further process, and does not see that one ended.
        self.process.send_signal(signal.SIGSTOP)
        children = _children(self.process.pid)
        self.process.kill()
        for child in children:
            _signal(child, signal.SIGKILL)
        self._ended()
        _until(lambda: not any(is_alive(child) for child in children), "its processes did not end")

    def _ended(self) -> None:
        assert self.process
        try:
            self.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ServerFailed(f"the server did not stop within {WAIT_SECONDS:.0f} s\n{self.log()[-2000:]}") from error
        self.process = None
        self._watch(None)

    def _watch(self, pid: int | None) -> None:
        assert self.watcher.stdin
        self.watcher.stdin.write(f"{pid or ''}\n")

    def _create(self, settings: str) -> None:
        options = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}"]
        made = self._spawn("initdb", *options, "-D", self.data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = made.communicate()
        if made.returncode:
            raise ServerFailed(f"initdb: {output.decode(errors='replace')}")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(settings.format(folder=self.folder))

    def _spawn(self, program: str, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        """In a session of its own: Ctrl-C at a terminal is for the tests, which then stop the server."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        if self.account:
            options |= self.account.options()
        return subprocess.Popen(
            [str(self.programs / program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env={**inherited, "LC_ALL": "C"},
            start_new_session=True,
            **options,
        )

    # --- databases ----------------------------------------------------------------------------------------------------------

    def new_database(self, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of another one of this server (its name or URL), which nobody may be
        connected to."""
        self.start()
        name = f"test_{next(self.names)}"
        copied = f'TEMPLATE "{_name(template)}"' if template else ""
        # The way of versions before 15, which takes half as long for a database as small as these.
        strategy = "STRATEGY file_copy" if self._administration().server_version >= 150000 else ""
        self._administer(f'CREATE DATABASE "{name}" OWNER {OWNER} {copied} {strategy}')
        return self.url(name)

    def drop_database(self, database: str) -> None:
        """Remove a database (its name or URL), whoever is connected to it."""
        self.start()
        self._administer(f'DROP DATABASE IF EXISTS "{_name(database)}" WITH (FORCE)')

    def terminate_backends(self, database: str) -> int:
        """End every connection to a database (its name or URL), as an administrator does; how many there were."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = %s AND backend_type = 'client backend'",
                (_name(database),),
            )
            return int(cursor.fetchone()[0])

    def _administer(self, statement: str) -> None:
        """Over a connection that is kept, because to make one takes as long as to make a database; over a new one when it was
        lost since."""
        try:
            with self._administration().cursor() as cursor:
                cursor.execute(statement)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if self.kept is not None and not self.kept.closed:
                raise
            with self._administration().cursor() as cursor:
                cursor.execute(statement)

    def _administration(self) -> Any:
        if self.kept is None or self.kept.closed:
            self.kept = self._connect()
        return self.kept

    def _connect(self) -> Any:
        """To the database of administration, as the one who may do everything."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=SUPERUSER, dbname="postgres", connect_timeout=10)
        connection.autocommit = True
        return connection


def _name(database: str) -> str:
    """The name in a URL; a name is one."""
    return database.rpartition("/")[2]


def _children(pid: int) -> list[int]:
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [one for one in found if (stat := process_stat(one)) and stat[1] == pid]


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _until(holds: Callable[[], bool], failure: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > until:
            raise ServerFailed(failure)
        time.sleep(0.005)
