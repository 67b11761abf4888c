"""`python -m bench.export [RECORDS]`: call records to a file, rows a second and memory, beside a bare loop over the table."""

from __future__ import annotations

import argparse
import csv
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dialer.settings_file import settings_file
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.seeding import RECORDS, SEED


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
            connection.executescript(SEED + RECORDS.replace(":count", str(count)))
        connection.close()
        (folder / "dialer.toml").write_text(settings_file({"database": {"url": sqlite_url(path)}, "simulator": {}}))
        bare = _bare(path, folder / "bare.csv")
        for options in ((), ("--json",)):
            began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "dialer", "cdr", "export", *options, "-c", str(folder / "dialer.toml")]
            with (folder / "out").open("wb") as out:
                subprocess.run(command, stdout=out, check=True)
            seconds = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(
                f"export {' '.join(options) or 'csv':7} {count:,} records: {seconds:.1f} s, {count / seconds:,.0f} a second, "
                f"{1e6 * cpu / count:.1f} us CPU each, {after.ru_maxrss / 1024:.0f} MB; a bare loop {bare:.1f} s, "
                f"ratio {seconds / bare:.2f}"
            )


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
