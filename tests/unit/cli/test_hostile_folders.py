"""Commands in folders of somebody else: what he puts there leads no command to a file that is not his."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dialer.cli.run import remove_ready, write_ready
from dialer.errors import DialerError
from dialer.safe_files import UnsafeFile
from dialer.settings_file import settings_file
from dialer.simulator.oracle import Oracle
from dialer.store.location import sqlite_path
from dialer.store.lock import DiallingLock
from tests.grounds import furnished_database, new_database
from tests.hostile import OTHER, ROOT, as_root, folder_of_another, secret_of_ours, untouched
from tests.unit.cli.support import Commands
from tests.unit.cli.test_cdr import put
from tests.unit.cli.test_contact_import import add_spring
from tests.unit.store.damage import Damaged


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    """A configuration and an empty database, in a file."""
    here = Commands(tmp_path / "home", capsys)
    here.folder.mkdir()
    here.config.touch(0o600)
    here.config.write_text(settings_file({"database": {"url": "sqlite:///dialer.db"}, "simulator": {}}))
    new_database(here.folder)
    return here


@pytest.fixture
def spring(home: Commands, capsys: pytest.CaptureFixture[str]) -> Commands:
    """With a campaign that has a phonebook of one contact."""

    def furnish(url: str) -> None:
        there = Commands(sqlite_path(url).parent, capsys)
        there.use(url)
        add_spring(there)
        there.good("contact", "add", "15551230001", "--phonebook", "spring")

    furnished_database(home.folder, "hostile folders", furnish)
    return home


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return folder_of_another(tmp_path / "theirs")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return secret_of_ours(tmp_path)


def link(path: Path, target: Path) -> None:
    path.symlink_to(target)
    if ROOT:
        os.chown(path, OTHER, OTHER, follow_symlinks=False)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- exports and imports ----------------------------------------------------------------------------------------------------

EXPORTS = [("phonebook", "export", "spring"), ("campaign", "export", "spring"), ("dnc", "export")]


@pytest.mark.parametrize("command", EXPORTS)
@pytest.mark.parametrize("name", ["list.csv", "list.csv.part"])
def test_an_export_is_written_through_no_link(
    spring: Commands, theirs: Path, secret: Path, command: tuple[str, ...], name: str
) -> None:
    link(theirs / name, secret)
    assert spring.run(*command, theirs / "list.csv").status == 0
    assert untouched(secret)
    assert not (theirs / "list.csv").is_symlink()
    assert (theirs / "list.csv").stat().st_uid == os.geteuid()


def test_an_export_that_fails_leaves_the_file_of_yesterday(spring: Commands, theirs: Path) -> None:
    (theirs / "list.csv").write_text("yesterday")
    spring.failed("campaign", "export", "autumn", theirs / "list.csv")
    assert (theirs / "list.csv").read_text() == "yesterday"
    assert [path.name for path in theirs.iterdir()] == ["list.csv"]


def test_an_export_in_place_of_another_file_lets_no_more_people_read_it(spring: Commands, theirs: Path) -> None:
    (theirs / "list.csv").touch(0o600)
    spring.good("phonebook", "export", "spring", theirs / "list.csv")
    assert mode(theirs / "list.csv") == 0o600


@pytest.mark.parametrize("name", ["bad.csv.errors.csv", "bad.csv.errors.csv~"])
def test_refused_rows_are_written_through_no_link(spring: Commands, theirs: Path, secret: Path, name: str) -> None:
    (theirs / "bad.csv").write_text("contact\nnobody\n")
    link(theirs / name, secret)
    spring.run("contact", "import", theirs / "bad.csv", "--phonebook", "spring")
    assert untouched(secret)
    assert "nobody" in (theirs / "bad.csv.errors.csv").read_text()
    if ROOT:
        assert (theirs / "bad.csv.errors.csv").stat().st_uid == OTHER, "he can correct them"


@as_root
@pytest.mark.parametrize("way", ["link", "hard link"])
def test_an_import_takes_nothing_that_its_owner_could_not_read(spring: Commands, theirs: Path, secret: Path, way: str) -> None:
    if way == "link":
        link(theirs / "list.csv", secret)
    else:
        (theirs / "list.csv").hardlink_to(secret)
    told = spring.refused("contact", "import", theirs / "list.csv", "--phonebook", "spring")
    assert "cannot be read" in told
    assert [path.name for path in theirs.iterdir()] == ["list.csv"]


# --- call detail records ----------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Damaged]:
    yield Damaged.in_file(tmp_path)


@pytest.fixture
def at_records(tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Damaged) -> Commands:
    found = Commands(tmp_path, capsys)
    found.config.write_text(settings_file({"database": {"url": here.url}, "simulator": {}}))
    return found


def test_records_that_are_no_plain_files_are_told_and_stay(
    at_records: Commands, here: Damaged, theirs: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outside = put(here, elsewhere, "call-1")
    put(here, theirs, "call-2")
    (theirs / "a.cdr.json").symlink_to(outside)
    (theirs / "b.cdr.json").hardlink_to(outside)
    os.mkfifo(theirs / "c.cdr.json")
    (theirs / "folder").symlink_to(elsewhere)
    with (theirs / "d.cdr.json").open("wb") as endless:
        endless.truncate(1 << 40)
    (theirs / "e\x9b31m.cdr.json").write_text("{")
    ran = at_records.run("cdr", "import", theirs)
    assert (ran.status, ran.out) == (1, "records: unknown 1\n")
    told = ran.err.splitlines()
    assert [line.partition(".cdr.json: ")[2] for line in told] == [
        "is a symbolic link, which is not followed",
        "has a second name (a hard link), and is not touched",
        "is no regular file",
        f"is longer than {4 << 20} bytes",
        "is not JSON that mod_json_cdr has written (set its encode-values to false)",
    ]
    assert "\x9b" not in ran.err
    assert outside.exists()
    assert sorted(path.name for path in theirs.iterdir() if not path.name.startswith("e")) == [
        "a.cdr.json",
        "b.cdr.json",
        "c.cdr.json",
        "d.cdr.json",
        "folder",
        "imported",
    ]


def test_records_that_are_done_with_are_moved_through_no_link(
    at_records: Commands, here: Damaged, theirs: Path, secret: Path
) -> None:
    put(here, theirs, "call-2")
    (theirs / "imported").symlink_to(secret.parent)
    ran = at_records.run("cdr", "import", theirs)
    assert "is a symbolic link" in ran.err
    assert untouched(secret)
    assert (theirs / "call-2.cdr.json").exists()


def test_a_folder_of_records_that_becomes_a_link_leads_nowhere(
    at_records: Commands, here: Damaged, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (theirs / "day").mkdir()
    put(here, theirs / "day", "call-1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outside = put(here, elsewhere, "call-1")
    real = os.listdir

    def swap(opened: int) -> list[str]:
        names = real(opened)
        if "call-1.cdr.json" in names:
            (theirs / "day").rename(theirs / "was")
            (theirs / "day").symlink_to(elsewhere)
        return names

    monkeypatch.setattr(os, "listdir", swap)
    ran = at_records.run("cdr", "import", theirs)
    assert "is a symbolic link" in ran.err
    assert outside.exists()


def test_folders_in_folders_are_looked_into_so_far(at_records: Commands, here: Damaged, theirs: Path) -> None:
    deep = theirs
    for _ in range(12):
        deep = deep / "x"
    deep.mkdir(parents=True)
    put(here, deep, "call-1")
    put(here, theirs, "call-2")
    ran = at_records.run("cdr", "import", theirs)
    assert ran.out == "records: unknown 1\n"
    assert "more than 8 folders deep" in ran.err


@as_root
def test_the_folder_of_what_is_done_with_belongs_to_the_owner_of_the_records(
    at_records: Commands, here: Damaged, theirs: Path
) -> None:
    put(here, theirs, "call-1")
    at_records.good("cdr", "import", theirs)
    assert (theirs / "imported").stat().st_uid == OTHER


# --- the database and what stands beside it ---------------------------------------------------------------------------------


@contextmanager
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def test_a_database_and_the_files_beside_it_are_for_their_owner_only(tmp_path: Path, home: Commands) -> None:
    with no_umask():
        database = home.folder / "dialer.db"
        database.unlink()
        home.good("upgrade")
        lock = DiallingLock(database)
        lock.acquire()
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE installation SET installation_id = installation_id")
            connection.commit()
            files = {path.name: mode(path) for path in home.folder.iterdir()}
        connection.close()
        lock.release()
    assert files == dict.fromkeys(("dialer.toml", "dialer.db", "dialer.db-wal", "dialer.db-shm", "dialer.db.lock"), 384)


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal", ".lock"])
@pytest.mark.parametrize("hard", [False, True])
def test_what_stands_beside_a_database_is_no_link(home: Commands, secret: Path, ending: str, hard: bool) -> None:
    there = home.folder / f"dialer.db{ending}"
    there.unlink(missing_ok=True)
    if hard:
        there.hardlink_to(secret)
    else:
        there.symlink_to(secret)
    home.failed("cdr", "import", home.folder)
    there.unlink()
    assert untouched(secret)


@as_root
def test_a_database_that_somebody_else_leads_elsewhere_is_neither_opened_nor_made(home: Commands, tmp_path: Path) -> None:
    database = home.folder / "dialer.db"
    away = tmp_path / "elsewhere" / "dialer.db"
    away.parent.mkdir()
    database.rename(away)
    link(database, away)
    assert "symbolic link of somebody else" in home.failed("user", "list")
    away.unlink()
    assert "symbolic link of somebody else" in home.failed("upgrade")
    assert list(away.parent.iterdir()) == []


def test_ones_own_link_to_a_database_may_be_used(home: Commands, tmp_path: Path) -> None:
    database = home.folder / "dialer.db"
    database.rename(tmp_path / "real.db")
    database.symlink_to(tmp_path / "real.db")
    assert home.good("user", "list", "--json").json == []


@as_root
def test_the_lock_that_root_makes_can_be_taken_by_the_owner_of_the_folder(theirs: Path) -> None:
    lock = DiallingLock(theirs / "dialer.db")
    lock.acquire()
    lock.release()
    assert (theirs / "dialer.db.lock").stat().st_uid == OTHER


# --- the ready file ---------------------------------------------------------------------------------------------------------


def test_the_ready_file_is_written_and_removed_through_no_link(theirs: Path, secret: Path, tmp_path: Path) -> None:
    ready = theirs / "ready"
    for name in ("ready", f".ready.{os.getpid()}"):
        link(theirs / name, secret)
    write_ready(ready, "{}")
    assert ready.read_text() == "{}"
    assert untouched(secret)
    remove_ready(ready)
    assert not ready.exists()
    if ROOT:
        link(theirs / "way", secret.parent)
        with pytest.raises(DialerError, match=r"--ready-file: .*symbolic link of somebody else"):
            write_ready(theirs / "way" / "shadow", "{}")
        remove_ready(theirs / "way" / "shadow")
        assert untouched(secret)


# --- init -------------------------------------------------------------------------------------------------------------------


@as_root
def test_init_follows_no_link_of_somebody_else(home: Commands, theirs: Path, secret: Path) -> None:
    link(theirs / "new", secret.parent)
    for folder in (theirs / "new", theirs / "new" / "below"):
        ran = home.bare("init", folder)
        assert ran.status == 1
        assert "symbolic link of somebody else" in ran.err
    link(theirs / "nothing", secret.parent / "nothing")
    assert home.bare("init", theirs / "nothing").status == 1
    assert untouched(secret)


@pytest.mark.parametrize("name", ["dialer.db", "dialer.toml"])
def test_init_writes_through_no_link(home: Commands, theirs: Path, secret: Path, name: str) -> None:
    (theirs / name).symlink_to(secret)
    assert "exists already" in home.one_line(home.bare("init", theirs))
    assert untouched(secret)


@as_root
def test_init_gives_its_files_to_the_owner_of_the_folder(home: Commands, theirs: Path) -> None:
    assert home.bare("init", theirs, "--simulator").status == 0
    for path in theirs.iterdir():
        assert (path.name, path.stat().st_uid, mode(path)) == (path.name, OTHER, 0o600)
    assert sorted(path.name for path in theirs.iterdir()) == ["dialer.db", "dialer.toml"]


@pytest.mark.parametrize("exists", [False, True])
def test_the_unfinished_folder_of_init_that_becomes_a_link_leads_nowhere(
    home: Commands, theirs: Path, secret: Path, exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = theirs if exists else theirs / "new"
    real = os.fsync
    swapped: list[Path] = []

    def swap(descriptor: int) -> None:
        for stage in theirs.glob(".dialer-init-*"):
            if not swapped:
                swapped.append(stage)
                stage.rename(theirs / "away")
                stage.symlink_to(secret.parent)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", swap)
    home.bare("init", folder, "--simulator")
    assert swapped
    assert untouched(secret)


def test_init_leaves_no_files_where_it_made_the_database(
    home: Commands, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    assert home.bare("init", theirs, "--simulator").status == 0
    assert list(own.iterdir()) == []


# --- secrets and settings ---------------------------------------------------------------------------------------------------

BEHIND = "is behind a symbolic link of somebody else"


@as_root
@pytest.mark.parametrize(
    "command",
    [
        ("user", "add", "eve", "--password-file"),
        ("gateway", "add", "x", "--protocol", "local", "--addparameter-file"),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["file", "folder/shadow"])
def test_a_secret_is_read_through_no_link(
    home: Commands, theirs: Path, secret: Path, command: tuple[str, ...], way: str
) -> None:
    link(theirs / "file", secret)
    link(theirs / "folder", secret.parent)
    problem = home.refused(*command, theirs / way)
    assert f"{theirs / way} is not read: it {BEHIND}" in problem
    assert "root:" not in problem
    assert home.good("user", "list", "--json").json == home.good("gateway", "list", "--json").json == []


@as_root
def test_a_second_name_of_a_file_is_no_password_file(home: Commands, theirs: Path, secret: Path) -> None:
    (theirs / "file").hardlink_to(secret)
    assert "is a second name of another file" in home.refused("user", "add", "eve", "--password-file", theirs / "file")


@as_root
def test_a_configuration_is_read_through_no_link(home: Commands, theirs: Path, secret: Path) -> None:
    link(theirs / "dialer.toml", home.config)
    link(theirs / "home", home.folder)
    for way in ("dialer.toml", "home/dialer.toml"):
        ran = home.bare("user", "list", "--config", theirs / way)
        assert ran.status == 2
        assert f"{theirs / way}: is not read: it {BEHIND}" in ran.err


@as_root
def test_a_secret_of_the_configuration_is_read_through_no_link(home: Commands, theirs: Path, secret: Path) -> None:
    link(theirs / "password", secret)
    switch = {"host": "127.0.0.1", "password": f"file:{theirs / 'password'}"}
    home.config.write_text(settings_file({"database": {"url": "sqlite:///dialer.db"}, "switch": switch}))
    problem = home.refused("user", "list")
    assert f"switch.password: {theirs / 'password'} is not read: it {BEHIND}" in problem


@as_root
@pytest.mark.parametrize("name", ["log", "new", "folder/log"])
def test_the_simulators_log_is_written_through_no_link(home: Commands, theirs: Path, secret: Path, name: str) -> None:
    link(theirs / "log", secret)
    link(theirs / "new", secret.parent / "new")
    link(theirs / "folder", secret.parent)
    ran = home.bare("simulate", "--log", theirs / name, "--port", 0)
    assert ran.status == 2
    assert f"--log: {theirs / name} is not written: it {BEHIND}" in ran.err
    oracle = Oracle(path=theirs / name)
    with pytest.raises(UnsafeFile, match="somebody else"):
        oracle.refused_by_switch("u1", 1.0, "CALL_REJECTED")
    assert untouched(secret)


def test_the_simulators_log_grows_through_a_link_of_ones_own(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    (tmp_path / "link").symlink_to(log)
    oracle = Oracle(path=tmp_path / "link")
    log.write_text("first\n")
    oracle.refused_by_switch("u1", 1.0, "CALL_REJECTED")
    oracle.refused_by_switch("u2", 2.0, "CALL_REJECTED")
    assert [line[:5] for line in log.read_text().splitlines()] == ["first", '{"at"', '{"at"']


def test_settings_come_through_links_of_ones_own_and_from_a_descriptor(home: Commands, tmp_path: Path) -> None:
    home.config.write_text(settings_file({"database": {"url": home.url}, "simulator": {}}))
    (tmp_path / "link.toml").symlink_to(home.config)
    assert home.bare("user", "list", "--config", tmp_path / "link.toml").status == 0
    with home.config.open("rb") as opened:
        assert home.bare("user", "list", "--config", f"/dev/fd/{opened.fileno()}").status == 0
