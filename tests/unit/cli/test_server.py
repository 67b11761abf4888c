"""The commands on a database of a PostgreSQL server, beside the ones that have tests of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.settings_file import settings_file
from dialer.store.connection import Dialect
from dialer.store.location import opened
from dialer.store.maintenance import LOCKS, MAINTENANCE
from dialer.store.schema import upgrades
from tests.postgresql import Server
from tests.unit.cli.support import Commands


@pytest.fixture
def url(postgres_server: Server) -> Iterator[str]:
    """An empty database; the password is never asked for."""
    fresh = postgres_server.new_database()
    yield fresh.replace("//dialer@", "//dialer:s3cret@")
    postgres_server.drop_database(fresh)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str) -> Commands:
    """On an empty database."""
    found = Commands(tmp_path, capsys)
    found.config.write_text(settings_file({"database": {"url": url}, "simulator": {}}))
    return found


@pytest.fixture
def commands(bare: Commands) -> Commands:
    bare.good("upgrade")
    return bare


def test_the_schema_is_made_and_is_up_to_date_then(bare: Commands) -> None:
    newest = upgrades(Dialect.POSTGRESQL)[-1].version
    assert bare.good("upgrade").out == f"schema upgraded to {newest}\n"
    assert bare.good("upgrade").out == "the schema is up to date\n"


def test_no_schema_is_upgraded_beside_a_dialer(commands: Commands, url: str) -> None:
    with opened(url) as connection:
        connection.execute("DELETE FROM schema_version WHERE version = (SELECT max(version) FROM schema_version)")
        connection.commit()
        connection.execute("SELECT pg_advisory_lock_shared(?, ?)", (LOCKS, MAINTENANCE))
        assert "a dialer is at work with this database" in commands.failed("upgrade")


def test_without_a_schema_every_command_says_so_in_one_line(bare: Commands) -> None:
    for command in (("user", "list"), ("gateway", "list"), ("voipapp", "list"), ("nodes",)):
        assert "run the upgrade command" in bare.failed(*command)


def test_a_server_that_is_away_is_one_line_without_the_password(commands: Commands, url: str, tmp_path: Path) -> None:
    away = "postgresql://dialer:s3cret@127.0.0.1:1/dialer"
    commands.config.write_text(settings_file({"database": {"url": away}, "simulator": {}}))
    for command in (("user", "list"), ("nodes",), ("nodes", "remove", "x"), ("upgrade",), ("cdr", "import", tmp_path)):
        said = commands.failed(*command)
        assert "dialer at 127.0.0.1:1 does not answer" in said
        assert "s3cret" not in said
    assert "s3cret" not in commands.run("check").out


def test_users_gateways_and_voice_applications_are_added_changed_and_removed(commands: Commands) -> None:
    added = commands.good("user", "add", "ann", "--generate-password", "--max-frequency", "60", "--blacklist", "0900")
    assert added.out == "user ann added, id 1\n"
    commands.good("user", "set", "ann", "--no-active", "--max-frequency", "none", "--whitelist", "49,43")
    [ann] = commands.good("user", "list", "--json").json
    assert (ann["is_active"], ann["max_frequency"], ann["blacklist"], ann["whitelist"]) == (
        False,
        None,
        ["0900"],
        ["43", "49"],
    )
    assert "exists already" in commands.refused("user", "add", "ann", "--generate-password")

    commands.good("gateway", "add", "spare", "--dial-string", "sofia/gateway/spare/{number}")
    commands.good("gateway", "add", "carrier", "--protocol", "local", "--failover", "spare", "--maximum-call", "3")
    assert "it is used by 1 gateway" in commands.failed("gateway", "remove", "spare")
    commands.good("gateway", "set", "carrier", "--failover", "none")
    commands.good("gateway", "remove", "spare")
    [carrier] = commands.good("gateway", "list", "--json").json
    assert (carrier["name"], carrier["failover"], carrier["maximum_call"]) == ("carrier", None, 3)

    commands.good("voipapp", "add", "hello", "--type", "speak", "--data", "Hola, señora", "--gateway", "carrier")
    commands.good("voipapp", "set", "hello", "--description", "grüßt")
    [hello] = commands.good("voipapp", "list", "--json").json
    assert (hello["data"], hello["description"], hello["gateway"]) == ("Hola, señora", "grüßt", "carrier")
    assert "carrier" in commands.good("gateway", "list").out


def test_the_tools_work_beside_a_dialer(commands: Commands, url: str) -> None:
    with opened(url) as connection:
        connection.execute("SELECT pg_advisory_lock_shared(?, ?)", (LOCKS, MAINTENANCE))
        connection.commit()
        commands.good("user", "add", "ann", "--generate-password")
        commands.good("user", "list")
