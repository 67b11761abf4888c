"""`dialer cdr import`, on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialer.settings_file import settings_file
from dialer.store.connection import Dialect
from dialer.store.lock import DiallingLock
from dialer.store.times import to_column
from tests.unit.cdr.bodies import record
from tests.unit.cli.support import Commands
from tests.unit.store.damage import Damaged


@pytest.fixture(params=list(Dialect))
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Damaged]:
    if request.param is Dialect.SQLITE:
        yield Damaged.in_file(tmp_path)
    else:
        with Damaged.on_server(request.getfixturevalue("postgres_server")) as found:
            yield found


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Damaged) -> Commands:
    found = Commands(tmp_path, capsys)
    found.config.write_text(settings_file({"database": {"url": here.url}, "simulator": {}}))
    return found


@contextmanager
def dialer_at_work(here: Damaged) -> Iterator[None]:
    if here.dialect is Dialect.SQLITE:
        lock = DiallingLock(here.path)
        lock.acquire()
        yield
        lock.release()
    else:
        here.sql("UPDATE node SET lease_until = ?", to_column(datetime.now(UTC) + timedelta(minutes=5)))
        yield
        here.sql("UPDATE node SET lease_until = seen_at")


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    (folder / "2026-11-23").mkdir(parents=True)
    return folder


def put(here: Damaged, folder: Path, uuid: str, name: str = "answered.json", account: str | None = None) -> Path:
    ((installation,),) = here.sql("SELECT installation_id FROM installation")
    path = folder / f"{uuid}.cdr.json"
    path.write_bytes(record(uuid, name, account or f"dialer-{installation}") + b"\n")
    return path


def test_what_was_taken_is_moved_and_the_rest_stays(commands: Commands, here: Damaged, spool: Path) -> None:
    here.call(1, 1)
    put(here, spool, "call-1")
    put(here, spool / "2026-11-23", "call-7")
    foreign = put(here, spool, "call-8", account="dialer-other")
    ran = commands.good("cdr", "import", spool)
    assert ran.out == "records: ended 1, unknown 1, foreign 1\n"
    assert here.subscriber(1)[0] == 5
    assert foreign.exists()
    moved = sorted(str(path.relative_to(spool)) for path in spool.rglob("*.cdr.json") if path != foreign)
    assert moved == ["imported/2026-11-23/call-7.cdr.json", "imported/call-1.cdr.json"]
    assert commands.good("cdr", "import", spool).out == "records: foreign 1\n"


def test_beside_a_dialer_records_of_open_attempts_are_kept_for_it_and_others_corrected(
    commands: Commands, here: Damaged, spool: Path
) -> None:
    here.call(1, 1)
    here.attempt(2, 2, "UNKNOWN")
    here.sql("UPDATE attempt SET cause = 'UNKNOWN' WHERE id = 2")
    here.sql("UPDATE subscriber SET count_attempt = 1 WHERE id = 2")
    put(here, spool, "call-1")
    put(here, spool, "call-2")
    with dialer_at_work(here):
        ran = commands.good("cdr", "import", spool, "--json")
    assert (ran.json["kept"], ran.json["corrected"], ran.json["unreadable"]) == (1, 1, [])
    assert here.sql("SELECT count(*) FROM attempt WHERE id = 1 AND pending_cdr IS NOT NULL") == [(1,)]
    assert (here.subscriber(1)[0], here.subscriber(2)[0]) == (6, 5)


def test_a_file_that_is_no_record_is_named_and_the_others_are_taken(commands: Commands, here: Damaged, spool: Path) -> None:
    (spool / "a.cdr.json").write_text("{")
    here.call(1, 1)
    put(here, spool, "call-1", "busy.json")
    ran = commands.run("cdr", "import", spool)
    assert ran.status == 1
    assert ran.out == "records: ended 1\n"
    assert commands.one_line(ran).endswith(
        "a.cdr.json: is not JSON that mod_json_cdr has written (set its encode-values to false)"
    )
    assert (spool / "a.cdr.json").exists()


def test_a_folder_that_is_not_there_is_wrong_usage(commands: Commands, tmp_path: Path) -> None:
    assert commands.refused("cdr", "import", tmp_path / "nothing").endswith("is not a folder")
