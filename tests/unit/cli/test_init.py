"""`dialer init`: a folder, whole or not at all."""

from __future__ import annotations

import stat

import pytest

from dialer.accounts import verify_password
from dialer.config import load_config
from dialer.store.location import sqlite_url
from dialer.store.schema import check
from tests.unit.cli.support import Commands
from tests.unit.cli.test_objects import stored_hash


@pytest.fixture
def bare(tmp_path, capsys):
    return Commands(tmp_path / "new", capsys)


def init(commands: Commands, *options: object):
    return commands.bare("init", commands.folder, *options)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_has_a_configuration_a_database_and_a_superuser_whose_password_is_shown(bare):
    ran = init(bare)
    assert (ran.status, ran.err) == (0, "")
    password = next(line.split()[1] for line in ran.out.splitlines() if line.startswith("password:"))
    config = load_config(bare.config)
    assert config.switch[0].port == 8021
    assert config.simulator is None
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
    [gateway] = bare.good("gateway", "list", "--json").json
    assert gateway["dial_string"] == "sofia/gateway/simulator/{number}"


def test_a_given_password_is_not_shown(bare, tmp_path):
    file = tmp_path / "password"
    file.write_text("correct horse")
    ran = init(bare, "--user", "root", "--password-file", file)
    assert "correct horse" not in ran.out
    assert verify_password(stored_hash(bare, "root"), "correct horse")


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


@pytest.mark.parametrize("options", [("--user", "a:b"), ("--password-file", "nowhere")])
def test_what_cannot_be_leaves_nothing_behind(bare, options):
    assert init(bare, *options).status == 2
    assert not bare.folder.exists()
    assert list(bare.folder.parent.iterdir()) == []


def test_a_failure_on_the_way_leaves_nothing_behind(bare, monkeypatch):
    def fail(url: str) -> None:
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
