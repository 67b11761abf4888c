"""`python -m bench.export [RECORDS]`: call records to a file, rows a second and memory, beside a bare loop over the table: by
`dialer cdr export`, and over HTTP from a dialer that runs."""

from __future__ import annotations

import argparse
import base64
import csv
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from dialer.accounts import hash_password
from dialer.settings_file import settings_file
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.seeding import RECORDS, SEED

REST = """
DELETE FROM attempt WHERE id = 1;
UPDATE subscriber SET status = 5, ready_at = NULL;
UPDATE campaign SET status = 4;
"""
"""Nobody is called."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int, nargs="?", default=1_000_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as name:
        folder = Path(name)
        path = folder / "dialer.db"
        upgrade(sqlite_url(path))
        with sqlite3.connect(path) as connection:
            connection.executescript(SEED + RECORDS.replace(":count", str(count)) + REST)
            connection.execute("UPDATE user_account SET is_superuser = 1, password_hash = ?", (hash_password("ann"),))
        connection.close()
        (folder / "dialer.toml").write_text(settings_file({"database": {"url": sqlite_url(path)}, "simulator": {}}))
        bare = _bare(path, folder / "bare.csv")
        print(f"a bare loop over the table: {bare:.1f} s, {count / bare:,.0f} a second")
        for options in ((), ("--json",)):
            _by_command(folder, options, count, bare)
        with _dialer(folder) as (port, pid):
            for format_ in ("csv", "jsonl"):
                _over_http(port, pid, format_, count, bare)


def _by_command(folder: Path, options: tuple[str, ...], count: int, bare: float) -> None:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "dialer", "cdr", "export", *options, "-c", str(folder / "dialer.toml")]
    with (folder / "out").open("wb") as out:
        subprocess.run(command, stdout=out, check=True)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    _tell(f"command {' '.join(options) or 'csv'}", count, seconds, bare, cpu, after.ru_maxrss / 1024)


def _over_http(port: int, pid: int, format_: str, count: int, bare: float) -> None:
    began, before = time.perf_counter(), _cpu(pid)
    request = Request(f"http://127.0.0.1:{port}/api/v2/attempts/export?format={format_}", headers={"Authorization": _LOGIN})
    lines = 0
    with urlopen(request) as answer:
        while piece := answer.read(65_536):
            lines += piece.count(b"\n")
    seconds = time.perf_counter() - began
    assert lines == count + (format_ == "csv"), f"{lines} lines"
    _tell(f"HTTP {format_}", count, seconds, bare, _cpu(pid) - before, _peak(pid))


def _tell(name: str, count: int, seconds: float, bare: float, cpu: float, megabytes: float) -> None:
    print(
        f"{name:14} {count:,} records: {seconds:.1f} s, {count / seconds:,.0f} a second, {1e6 * cpu / count:.1f} us CPU each, "
        f"{megabytes:.0f} MB; ratio to the bare loop {seconds / bare:.2f}"
    )


_LOGIN = f"Basic {base64.b64encode(b'ann:ann').decode()}"
START = 30.0
"""Seconds in which a dialer serves."""


@contextmanager
def _dialer(folder: Path) -> Iterator[tuple[int, int]]:
    """Its port and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = {"http": {"endpoint": f"tcp:{port}:interface=127.0.0.1"}, "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"}}
    config = folder / "run.toml"
    config.write_text(settings_file({"database": {"url": sqlite_url(folder / "dialer.db")}, "simulator": {}, **endpoint}))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "dialer", "run", "-c", str(config)], stdout=log, stderr=log)
    try:
        until = time.monotonic() + START
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < until, (folder / "log").read_text()[-500:]
                time.sleep(0.1)
        print(f"a dialer that does nothing: {_peak(process.pid):.0f} MB")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()
        log.close()


def _cpu(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _bare(path: Path, file: Path) -> float:
    """Seconds in which all columns of the table are written as CSV by nothing but Python."""
    began = time.perf_counter()
    connection = sqlite3.connect(path)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(connection.execute("SELECT * FROM attempt ORDER BY id"))
    connection.close()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
