"""Contacts from a file: rows a second of `dialer contact import`, and its peak memory, against bare csv and executemany.

`python -m bench.imports [ROWS] [--postgresql URL|start] [--directory DIR] [--http]` makes a file and imports it into a
phonebook, and again into one that a campaign uses, so that each contact becomes a subscriber as well. The bare way writes the
same file into the same tables: no validation, no identity of numbers, no word about what is wrong, one transaction for `CHUNK`
rows.

With `--http`, the file is sent to a running dialer (`POST /api/v2/imports`), which calls meanwhile: rows a second from the
first byte to the end of the import, the dialer's memory, and how late its reactor was beside that, and before.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from bench import imports_http
from dialer.cli.blocking import with_database
from dialer.management import Management, campaigns, gateways, phonebooks, users
from dialer.management.imports import CHUNK
from dialer.model import Account, CampaignStatus, VoipAppType
from dialer.store import contacts as sql
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.location import opened, sqlite_url
from dialer.store.schema import upgrade
from dialer.store.times import to_column

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HEADER = ("Phone", "First Name", "last_name", "email", "City", "plan")


def make_file(path: Path, rows: int) -> None:
    """Numbers in no order, each once, half of them written for people."""
    chance = random.Random(1)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for n, number in enumerate(chance.sample(range(2_000_000_000, 9_999_999_999), rows)):
            digits = str(number)
            shown = f"+1 ({digits[:3]}) {digits[3:6]}-{digits[6:]}" if n % 2 else f"+1{digits}"
            writer.writerow((shown, "Ana", f"Doe {n}", f"ana{n}@example.org", "Lima", "gold"))


async def seed(database: Database) -> None:
    """Phonebooks, of which campaigns use some (a campaign comes with a phonebook of its name)."""
    management = Management(database, lambda: NOW)
    who = Account(id=await management.ask(users.create, {"username": "bench", "is_superuser": True}), username="bench")
    await management.ask(gateways.create, {"name": "bench", "protocol": "LOCAL"})
    await management.ask(gateways.create_application, {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"})
    for name in ("tenth", "alone", "bare alone"):
        await management.ask(phonebooks.create, who, {"name": name})
    for name in ("used", "bare used"):
        given = {"name": name, "gateway_id": 1, "voip_app_id": 1, "status": CampaignStatus.PAUSE}
        await management.ask(campaigns.create, who, given)


def phonebook_ids(url: str) -> dict[str, int]:
    """By their names."""
    with opened(url) as connection:
        return {name: key for key, name in connection.execute("SELECT id, name FROM phonebook").fetchall()}


def imported(configuration: Path, file: Path, phonebook: str, rows: int) -> tuple[float, float]:
    """Rows a second of the command, and its peak memory in MB."""
    command = [sys.executable, "-m", "dialer", "contact", "import", str(file), "--phonebook", phonebook, "--json"]
    process = subprocess.Popen([*command, "--config", str(configuration)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    if status or told["taken"] != rows:
        raise RuntimeError(f"not imported: {told}")
    return rows / told["seconds"], used.ru_maxrss / 1024


def bare(url: str, file: Path, phonebook: int, rows: int) -> float:
    """Rows a second of csv and executemany."""
    began = time.perf_counter()
    with file.open(newline="") as stream, opened(url) as connection:
        for chunk in _chunks(stream):
            _write(connection, phonebook, chunk)
            connection.commit()
    return rows / (time.perf_counter() - began)


def _chunks(stream: Iterator[str]) -> Iterator[list[list[str]]]:
    reader = csv.reader(stream)
    next(reader)
    while chunk := list(islice(reader, CHUNK)):
        yield chunk


def _write(connection: Connection, phonebook: int, chunk: list[list[str]]) -> None:
    moment = to_column(NOW)
    (last,) = connection.execute(sql.NEWEST_CONTACT).fetchone()
    digits = str.maketrans("", "", "+ ()-")
    rows = []
    for number, first, last_name, email, city, plan in chunk:
        bare_number, variables = number.translate(digits), json.dumps({"City": city, "plan": plan})
        rows.append((phonebook, bare_number, bare_number, first, last_name, email, "", variables, moment, moment))
    connection.executemany(sql.ADD_CONTACT, rows)
    connection.execute(sql.SUBSCRIBE_NEW, (moment, phonebook, last))


def measure(url: str, directory: Path, rows: int) -> None:
    """Print the figures of one database."""
    upgrade(url)
    with_database(url, seed)
    configuration = directory / "dialer.toml"
    configuration.write_text(f'[database]\nurl = "{url}"\n[[switch]]\npassword = "ClueCon"\n')
    tenth, file = directory / "tenth.csv", directory / "contacts.csv"
    make_file(tenth, rows // 10)
    make_file(file, rows)
    books = phonebook_ids(url)
    _, less = imported(configuration, tenth, "tenth", rows // 10)
    for how, what in (("alone", "a phonebook"), ("used", "a phonebook that a campaign uses")):
        rate, memory = imported(configuration, file, how, rows)
        reference = bare(url, file, books[f"bare {how}"], rows)
        print(f"{rows:,} contacts into {what}")
        print(f"  dialer contact import   {rate:10,.0f} rows/s, peak memory {memory:.1f} MB ({less:.1f} MB for a tenth)")
        print(f"  csv and executemany     {reference:10,.0f} rows/s")
        print(f"imports against csv and executemany, into {what}: {rate / reference:.2f}", flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--directory", type=Path, default=None, help="where the files are made; default: a temporary one")
    parser.add_argument(
        "--postgresql", metavar="URL", help="an empty database to use in place of SQLite; `start` starts a server"
    )
    parser.add_argument("--http", action="store_true", help="send the file to a running dialer in place of that")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.directory)))
        url = options.postgresql or sqlite_url(directory / "bench.db")
        if url == "start":
            from tests.postgresql import Server

            url = stack.enter_context(Server.running()).new_database()
        if options.http:
            file = directory / "contacts.csv"
            make_file(file, options.rows)
            imports_http.measure(directory, file, options.rows, url if options.postgresql else "")
        else:
            measure(url, directory, options.rows)


if __name__ == "__main__":
    sys.exit(main())
