"""The ids by which others know events: the same again never means another event, also when a database is made anew."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import pytest_twisted

from dialer.cli.blocking import with_database
from dialer.cli.main import main
from dialer.envelope import envelope, outward_id, parse_id
from dialer.errors import BadValue
from dialer.model import EventKind
from dialer.model.event import EventPlace
from dialer.store import events
from dialer.store.connection import Dialect
from dialer.store.consumers import Consumers
from dialer.store.database import Database
from dialer.store.events import About
from dialer.store.schema import upgrade
from dialer.wall_clock import utc_now
from tests.grounds import bare_database, new_database

ID = "evt_3f9a0c1d2b4e5f60_4711"


async def first_event(url: str) -> dict[str, object]:
    """Written, and told."""
    from twisted.internet import reactor

    database = Database(url, reactor)
    await database.start()
    try:
        await database.run(lambda connection: events.add(connection, EventKind.SWITCH_UP, utc_now(), About(), {}))
        _, [told] = await Consumers(database, "here").read(EventPlace(0), 10)
        return envelope(told)
    finally:
        await database.stop()


@pytest_twisted.ensureDeferred
async def test_the_first_events_of_two_databases_have_different_ids(tmp_path: Path, database_kind: Dialect) -> None:
    ids = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        url = bare_database(tmp_path / name)
        upgrade(url)
        ids.append(parse_id(str((await first_event(url))["id"])))
    assert [number for _, number in ids] == [1, 1]
    assert ids[0][0] != ids[1][0]


def test_an_id_is_read_as_it_was_told() -> None:
    assert parse_id(ID) == ("3f9a0c1d2b4e5f60", 4711)
    assert outward_id(*parse_id(ID)) == ID
    assert parse_id(f"evt_{'0' * 16}_{2**63 - 1}") == ("0" * 16, 2**63 - 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4711",
        "evt_4711",
        f"{ID} ",
        f"{ID}\n",
        ID.replace("4711", "-1"),
        ID.replace("4711", "047"),
        ID.replace("4711", "+47"),
        ID.replace("4711", "\u0664"),
        ID.replace("4711", str(2**63)),
        ID.replace("4711", "9" * 100_000),
        ID.upper(),
        ID.replace("_4711", ""),
        ID.replace("3f9a", "3f9"),
        ID.replace("3f9a", "xf9a"),
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(BadValue, match="after: expected the id of an event as it came"):
        parse_id(text, "after")


def test_a_terminal_goes_on_behind_an_id_of_this_database_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "dialer.toml"
    config.write_text(f'[database]\nurl = "{new_database(tmp_path)}"\n[simulator]\n')
    assert main(["campaign", "list", "-c", str(config)]) == 0
    told = two_events(f"sqlite:///{tmp_path / 'dialer.db'}")
    capsys.readouterr()
    assert main(["tail", "--json", "--count", "1", "--after", told[0], "-c", str(config)]) == 0
    assert orjson.loads(capsys.readouterr().out)["id"] == told[1]
    assert main(["tail", "--after", ID, "-c", str(config)]) == 2
    assert "--after: is the id of an event of another database" in capsys.readouterr().err
    assert main(["tail", "--after", "1", "-c", str(config)]) == 2
    assert "--after: expected the id of an event" in capsys.readouterr().err


def two_events(url: str) -> list[str]:
    async def write(database: Database) -> list[str]:
        for _ in range(2):
            await database.run(lambda connection: events.add(connection, EventKind.SWITCH_UP, utc_now(), About(), {}))
        return [outward_id(database.installation_id, number) for number in (1, 2)]

    return with_database(url, write)
