"""`dialer init`: a folder, whole or not at all."""

from __future__ import annotations

import io
import re
import stat
from unittest import mock

import pytest

from dialer.accounts import verify_password
from dialer.config import load_config
from dialer.store.connection import Dialect
from dialer.store.location import opened, sqlite_url
from dialer.store.maintenance import LOCKS, MAINTENANCE
from dialer.store.schema import check, upgrade, upgrades
from tests.unit.cli.support import Commands
from tests.unit.cli.test_objects import stored_hash


@pytest.fixture
def bare(tmp_path, capsys):
    return Commands(tmp_path / "new", capsys)


def init(commands: Commands, *options: object):
    """A URL with a password is given on standard input."""
    (url,) = [option for option in options if "s3cret" in str(option)] or [""]
    if not url:
        return commands.bare("init", commands.folder, *options)
    with mock.patch("sys.stdin", io.StringIO(f"{url}\n")):
        return commands.bare("init", commands.folder, *("-" if option == url else option for option in options))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_has_a_configuration_a_database_and_a_superuser_whose_password_is_shown(bare):
    ran = init(bare)
    assert (ran.status, ran.err) == (0, "")
    password = next(line.split()[1] for line in ran.out.splitlines() if line.startswith("password:"))
    config = load_config(bare.config)
    assert config.switch[0].port == 8021
    assert config.simulator is None
    assert config.rules.apply == "shipped"
    check(sqlite_url(bare.folder / "dialer.db"))
    assert verify_password(stored_hash(bare, "admin"), password)
    [admin] = bare.good("user", "list", "--json").json
    assert (admin["id"], admin["is_superuser"]) == (1, True)
    assert sorted(path.name for path in bare.folder.iterdir()) == ["dialer.db", "dialer.toml"]


def test_only_the_owner_may_read_it(bare):
    init(bare)
    assert (mode(bare.folder), mode(bare.config), mode(bare.folder / "dialer.db")) == (0o700, 0o600, 0o600)


def test_the_examples_of_2011_have_their_gateway_and_their_voice_application(bare):
    init(bare)
    [gateway] = bare.good("gateway", "list", "--json").json
    assert (gateway["id"], gateway["name"], gateway["protocol"]) == (1, "Default_Gateway", "SIP")
    assert (gateway["hostname"], gateway["description"], gateway["dial_string"]) == (
        "localhost",
        "This is default gateway",
        "",
    )
    [app] = bare.good("voipapp", "list", "--json").json
    assert (app["id"], app["name"], app["type"], app["gateway"]) == (1, "Default_VoIP_App", "dial", "Default_Gateway")


def test_with_the_simulator_nobody_is_called(bare):
    init(bare, "--simulator")
    config = load_config(bare.config)
    assert config.switch == ()
    assert config.simulator is not None
    assert config.rules.apply == "none"
    [gateway] = bare.good("gateway", "list", "--json").json
    assert gateway["dial_string"] == "sofia/gateway/simulator/{number}"


def test_a_given_password_is_not_shown(bare, tmp_path):
    file = tmp_path / "password"
    file.write_text("correct horse")
    ran = init(bare, "--user", "root", "--password-file", file)
    assert "correct horse" not in ran.out
    assert verify_password(stored_hash(bare, "root"), "correct horse")


def test_a_region_is_that_of_the_configuration_and_of_the_database(bare):
    assert init(bare, "--region", "de").status == 0
    assert load_config(bare.config).numbers.region == "DE"
    bare.good("dnc", "add", "030 123456")
    assert bare.run("dnc", "check", "+49 30 123456").status == 1


@pytest.mark.parametrize("name", ["dialer.toml", "dialer.db"])
def test_nothing_is_overwritten(bare, name):
    bare.folder.mkdir()
    (bare.folder / name).write_text("mine")
    ran = init(bare)
    assert ran.status == 1
    assert f"{name} exists already, and is not overwritten" in bare.one_line(ran)
    assert [path.name for path in bare.folder.iterdir()] == [name]
    assert (bare.folder / name).read_text() == "mine"


def test_a_folder_that_exists_keeps_what_else_is_in_it(bare):
    bare.folder.mkdir()
    (bare.folder / "notes").write_text("mine")
    assert init(bare).status == 0
    assert sorted(path.name for path in bare.folder.iterdir()) == ["dialer.db", "dialer.toml", "notes"]


def test_a_file_in_the_place_of_the_folder_is_told(bare):
    bare.folder.write_text("mine")
    assert "is not a folder" in bare.one_line(init(bare))


@pytest.mark.parametrize("options", [("--user", "a:b"), ("--password-file", "nowhere"), ("--region", "XX")])
def test_what_cannot_be_leaves_nothing_behind(bare, options):
    assert init(bare, *options).status == 2
    assert not bare.folder.exists()
    assert list(bare.folder.parent.iterdir()) == []


def test_a_failure_on_the_way_leaves_nothing_behind(bare, monkeypatch):
    def fail(url: str, **_: object) -> None:
        raise OSError(28, "No space left on device", "dialer.db")

    monkeypatch.setattr("dialer.cli.init.upgrade", fail)
    ran = init(bare)
    assert (ran.status, ran.err) == (1, "dialer: dialer.db: No space left on device\n")
    assert list(bare.folder.parent.iterdir()) == []


def test_an_old_schema_is_upgraded_and_a_new_one_left_alone(bare):
    init(bare)
    assert bare.good("upgrade").out == "the schema is up to date\n"
    (bare.folder / "dialer.db").unlink()
    assert bare.good("upgrade").out.startswith("schema upgraded to ")


def test_folders_that_were_made_on_the_way_to_a_failure_go_again(bare):
    with mock.patch("sys.stdin", io.StringIO("postgresql://ann:secret@127.0.0.1:1/dialer\n")):
        ran = bare.bare("init", bare.folder / "a" / "b", "--database", "-")
    assert ran.status == 1
    assert "dialer at 127.0.0.1:1 does not answer" in bare.one_line(ran)
    assert "secret" not in ran.err
    assert list(bare.folder.parent.iterdir()) == []


def test_the_name_of_a_node_is_written_and_a_wrong_one_refused(bare):
    assert "--node: expected up to 64 letters" in bare.one_line(init(bare, "--node", "a b"))
    init(bare, "--node", "pbx-1")
    assert load_config(bare.config).node.name == "pbx-1"


# --- on a server ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def url(postgres_server):
    """An empty database, with a password that nobody asks for."""
    fresh = postgres_server.new_database()
    yield fresh.replace("//dialer@", "//dialer:s3cret@")
    postgres_server.drop_database(fresh)


@pytest.fixture
def other(tmp_path, capsys):
    return Commands(tmp_path / "other", capsys)


def sql(url, statement, *values):
    with opened(url) as connection:
        cursor = connection.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
        connection.commit()
        return rows


def test_an_empty_database_on_a_server_is_furnished_and_its_password_never_shown(bare, url):
    ran = init(bare, "--database", url, "--node", "one")
    assert (ran.status, ran.err) == (0, "")
    assert re.search(r"database:      test_\d+ at 127\.0\.0\.1:\d+, seeded\n", ran.out)
    assert "s3cret" not in ran.out
    config = load_config(bare.config)
    assert (config.database.url, config.node.name) == (url, "one")
    assert mode(bare.config) == 0o600
    assert [path.name for path in bare.folder.iterdir()] == ["dialer.toml"]
    check(url)
    password = next(line.split()[1] for line in ran.out.splitlines() if line.startswith("password:"))
    [(hashed,)] = sql(url, "SELECT password_hash FROM user_account WHERE username = 'admin'")
    assert verify_password(hashed, password)
    [gateway] = bare.good("gateway", "list", "--json").json
    [app] = bare.good("voipapp", "list", "--json").json
    assert (gateway["id"], app["id"], app["gateway"]) == (1, 1, "Default_Gateway")


@pytest.mark.parametrize(
    "url", ["postgresql://ann:secret@127.0.0.1:1/dialer", "postgresql://127.0.0.1:1/dialer?sslpassword=secret"]
)
def test_a_password_on_the_command_line_is_refused_and_not_shown(bare, url):
    ran = bare.bare("init", bare.folder, "--database", url)
    assert ran.status == 2
    assert "--database: holds a password, which others see in the list of processes: - reads it" in bare.one_line(ran)
    assert "secret" not in ran.err
    assert not bare.folder.exists()


def test_the_url_may_come_from_standard_input(bare, url, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{url}\ncorrect horse\n"))
    assert init(bare, "--database", "-", "--password-file", "-").status == 0
    assert load_config(bare.config).database.url == url
    [(hashed,)] = sql(url, "SELECT password_hash FROM user_account")
    assert verify_password(hashed, "correct horse")


def test_a_second_node_joins_and_changes_nothing_that_is_there(bare, other, url):
    init(bare, "--database", url, "--node", "one")
    bare.good("gateway", "set", "Default_Gateway", "--name", "carrier")
    before = sql(url, "SELECT * FROM user_account"), sql(url, "SELECT * FROM gateway"), sql(url, "SELECT * FROM voip_app")
    ran = init(other, "--database", url, "--node", "two")
    assert (ran.status, ran.err) == (0, "")
    assert ", joined as node two\n" in ran.out
    assert "superuser:     admin, as before\n" in ran.out
    assert "password:" not in ran.out
    after = sql(url, "SELECT * FROM user_account"), sql(url, "SELECT * FROM gateway"), sql(url, "SELECT * FROM voip_app")
    assert after == before
    assert [row["name"] for row in other.good("gateway", "list", "--json").json] == ["carrier"]


def test_a_second_node_has_the_region_of_the_database_and_no_other_one(bare, other, url):
    init(bare, "--database", url, "--node", "one", "--region", "DE")
    refused = init(other, "--database", url, "--node", "two", "--region", "FR")
    assert (refused.status, "--region: the database has DE" in refused.err) == (2, True)
    assert init(other, "--database", url, "--node", "two").status == 0
    assert load_config(other.config).numbers.region == "DE"


def test_a_node_joins_beside_others_at_work_and_is_told_of_one_that_has_its_name(bare, other, url):
    init(bare, "--database", url)
    sql(
        url,
        "INSERT INTO node (name, epoch, host, pid, version, ready, started_at, seen_at, lease_until, "
        "commits, figures) VALUES ('one', 1, 'host', 4711, '', 1, now(), now(), now(), 0, '{}')",
    )
    with opened(url) as connection:
        connection.execute("SELECT pg_advisory_lock_shared(?, ?)", (LOCKS, MAINTENANCE))
        assert ", joined as node two, beside one\n" in init(other, "--database", url, "--node", "two").out
    (other.folder / "dialer.toml").unlink()
    ran = init(other, "--database", url, "--node", "one")
    assert ran.err.startswith("note: a node one has dialled with this database (process 4711 on host); ")


def test_a_superuser_that_is_named_is_added_once(bare, other, url):
    init(bare, "--database", url, "--user", "root")
    assert "superuser:     ann\npassword:      " in init(other, "--database", url, "--user", "ann").out
    (other.folder / "dialer.toml").unlink()
    assert "superuser:     root, ann, as before\n" in init(other, "--database", url, "--user", "ann").out


def test_what_a_broken_init_left_is_completed_by_the_next_one(bare, url):
    upgrade(url)
    ran = init(bare, "--database", url)
    assert ran.status == 0
    assert "password:" in ran.out


def test_an_older_schema_is_upgraded_unless_a_dialer_is_at_work(bare, other, url):
    upgrade(url, upgrades(Dialect.POSTGRESQL)[:2])
    with opened(url) as connection:
        connection.execute("SELECT pg_advisory_lock_shared(?, ?)", (LOCKS, MAINTENANCE))
        assert "a dialer is at work with this database" in bare.one_line(init(bare, "--database", url))
    assert not bare.folder.exists()
    assert (
        f"joined as node one, upgraded to schema {upgrades(Dialect.POSTGRESQL)[-1].version}\n"
        in init(bare, "--database", url, "--node", "one").out
    )


def test_a_database_of_another_program_is_left_alone(bare, url):
    sql(url, "CREATE TABLE theirs (id INTEGER)")
    assert "is a database of another program" in bare.one_line(init(bare, "--database", url))
    assert not bare.folder.exists()


def test_a_failure_after_the_schema_leaves_no_folder_and_nothing_half_done(bare, url):
    upgrade(url)
    sql(url, "ALTER TABLE voip_app ADD CONSTRAINT no_more CHECK (id = 0)")
    assert "no_more" in bare.one_line(init(bare, "--database", url))
    assert not bare.folder.exists()
    assert sql(url, "SELECT count(*) FROM user_account") == [(0,)]


def test_a_folder_with_another_database_in_it_is_no_hindrance(bare, url):
    bare.folder.mkdir()
    (bare.folder / "dialer.db").write_text("mine")
    assert init(bare, "--database", url).status == 0
    assert (bare.folder / "dialer.db").read_text() == "mine"


@pytest.mark.parametrize(
    "wrong", ["sqlite:///dialer.db", "mysql://x", "postgresql://ann:secret@h/?x=1", "postgresql://h/d\udc80", ""]
)
def test_what_is_no_server_is_wrong_usage(bare, wrong):
    ran = init(bare, "--database", wrong)
    assert ran.status == 2
    assert (
        "atabase: expected postgresql" in ran.err or "database: expected sqlite" in ran.err or "control character" in ran.err
    )
    assert "secret" not in ran.err
    assert list(bare.folder.parent.iterdir()) == []
