"""Files of contacts that are uploaded, and taken into phonebooks in the background."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer.errors import StoreError
from dialer.files.import_folder import ImportFolder
from dialer.management import Management, import_errors, import_jobs, phonebooks, removals, users
from dialer.management.import_worker import ImportWorker
from dialer.management.imports import CHUNK
from dialer.management.management import Transaction, verb
from dialer.model.user import ADMINISTRATOR
from dialer.store.contacts import IMPORT_CACHE, USUAL_CACHE
from dialer.store.database import Database, NodeIdentity
from dialer.wall_clock import utc_now
from tests.grounds import on_postgresql, on_sqlite
from tests.unit.api.v2.support import Client, problem
from tests.unit.api.world import NOW, Reply, World, cheap_hash

CSV = "text/csv"
ENDED = ("finished", "cancelled", "failed")


def worker_of(api: World, node: str = "local", keep: timedelta = timedelta(days=1)) -> ImportWorker:
    assert api.management.imports is not None
    return ImportWorker(api.management, api.management.imports, node, keep)


@asynccontextmanager
async def working(api: World, node: str = "local") -> AsyncIterator[ImportWorker]:
    worker = worker_of(api, node)
    worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def send(who: Client, content: bytes | str, content_type: str = CSV, **parameters: object) -> Reply:
    """Upload a file."""
    query = urlencode({"phonebook_id": 1, **parameters})
    data = content.encode() if isinstance(content, str) else content
    headers = parameters.pop("headers", {})
    return await who.ask("POST", f"imports?{query}", data=data, content_type=content_type, headers=headers)


async def sleep(seconds: float) -> None:
    from twisted.internet import reactor

    await deferLater(reactor, seconds)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await sleep(0.005)
    raise AssertionError("it did not come about")


async def ended(who: Client, number: int) -> dict[str, Any]:
    """The import, once it has ended."""
    for _ in range(600):
        found = (await who.get(f"imports/{number}")).json
        if found["state"] in ENDED:
            return dict(found)
        await sleep(0.02)
    raise AssertionError(found)


async def done(api: World, who: Client, content: bytes | str, content_type: str = CSV, **parameters: object) -> dict[str, Any]:
    """Upload a file, and have it taken."""
    reply = await send(who, content, content_type, **parameters)
    assert reply.status == 202, reply
    async with working(api):
        return await ended(who, reply.json["id"])


def numbers(api: World) -> list[str]:
    return [number for (number,) in api.sql("SELECT number FROM contact ORDER BY number")]


def files(api: World) -> list[str]:
    assert api.management.imports is not None
    folder = api.management.imports.path
    return sorted(path.suffix for path in folder.iterdir()) if folder.is_dir() else []


def counts(found: dict[str, Any]) -> dict[str, Any]:
    names = ("state", "rows", "taken", "already_there", "duplicates", "refused", "reasons", "problem")
    return {name: found[name] for name in names}


@pytest_twisted.async_yield_fixture
async def ann(api: World) -> AsyncIterator[Client]:
    await api.campaign()
    yield Client(api)


MIXED = "contact,first_name\n+15551230001,Ana\nx,Bob\n+15551230001,Cy\n112,Di\n+15551230002,Ed,too,many\n\n+15551230003,Flo\n"


# --- the way of a file ------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_file_is_taken_in_the_background_and_its_errors_can_be_corrected_and_sent(api: World, ann: Client) -> None:
    reply = await send(ann, MIXED)
    assert (reply.status, reply.headers["location"]) == (202, "/api/v2/imports/1")
    assert (reply.json["state"], reply.json["rows"], reply.json["size"]) == ("queued", 0, len(MIXED))
    assert numbers(api) == []
    async with working(api):
        found = await ended(ann, 1)
    assert counts(found) == {
        "state": "finished",
        "rows": 6,
        "taken": 2,
        "already_there": 0,
        "duplicates": 1,
        "refused": 3,
        "reasons": {"no number": 1, "emergency number": 1, "too many fields": 1},
        "problem": None,
    }
    assert (found["read"], found["encoding"]) == (len(MIXED), "ascii")
    assert numbers(api) == ["+15551230001", "+15551230003"]
    assert api.sql("SELECT count(*) FROM subscriber") == [(2,)]
    assert files(api) == []
    errors = await ann.get("imports/1/errors")
    assert errors.headers["content-disposition"] == 'attachment; filename="import-1-errors.csv"'
    lines = errors.text.decode().splitlines()
    assert lines[0] == 'contact,first_name,"error"'
    assert [line.partition(",")[0] for line in lines[1:]] == ["x", "+15551230001", "112", "+15551230002"]
    corrected = errors.text.decode().replace("x,Bob", "+15551230009,Bob").replace(",too,many", "")
    again = await done(api, ann, corrected)
    assert (again["taken"], again["already_there"], again["refused"]) == (2, 1, 1)
    listed = (await ann.get("imports?limit=1")).json
    assert ([each["id"] for each in listed["data"]], listed["has_more"]) == ([2], True)


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_large_indexes_are_held_while_a_file_is_taken_and_no_longer(api: World, ann: Client) -> None:
    held: list[int] = []
    take = import_jobs.take

    def noting(t: Transaction, *more: Any) -> Any:
        held.extend(t.connection.execute("PRAGMA cache_size").fetchone())
        return take(t, *more)

    with mock.patch.object(import_jobs, "take", verb(noting)):
        await done(api, ann, "contact\n+15551230001\n", phonebook_id=1)
    assert held == [-IMPORT_CACHE]
    assert await api.database.run(lambda connection: connection.execute("PRAGMA cache_size").fetchone()) == (-USUAL_CACHE,)


@pytest_twisted.ensureDeferred
async def test_json_lines_are_taken_as_well(api: World, ann: Client) -> None:
    lines = [
        {"Phone": "+1 555 123-0001", "first_name": "Ana", "plan": "gold", "score": 7},
        {"phone": 15551230002, "additional_vars": {"a": "b"}, "error": "an old remark"},
        {"phone": "x"},
        {"phone": "+15551230003", "first_name": ["no text"]},
        {"first_name": "without"},
    ]
    text = "\n".join(orjson.dumps(line).decode() for line in lines) + '\n{"phone": \n\n[1]\n'
    found = await done(api, ann, text, "application/x-ndjson")
    assert (found["format"], found["rows"], found["taken"], found["refused"]) == ("json-lines", 7, 2, 5)
    assert found["reasons"] == {"no number": 2, "value not allowed": 3}
    stored = api.sql("SELECT number, first_name, additional_vars FROM contact ORDER BY id")
    assert [(number, name, orjson.loads(more)) for number, name, more in stored] == [
        ("+15551230001", "Ana", {"plan": "gold", "score": "7"}),
        ("15551230002", "", {"a": "b"}),
    ]
    errors = [orjson.loads(line) for line in (await ann.get("imports/1/errors")).text.splitlines()]
    assert [set(each) for each in errors] == [
        {"phone", "error"},
        {"phone", "first_name", "error"},
        {"first_name", "error"},
        {"unreadable", "error"},
        {"unreadable", "error"},
    ]
    assert errors[0]["error"].startswith("line 3: ")
    mended = orjson.dumps({**errors[0], "phone": "+15551230005"})
    again = await done(api, ann, mended, "application/x-ndjson")
    assert (again["taken"], again["refused"]) == (1, 0)


@pytest_twisted.ensureDeferred
async def test_a_form_has_the_file_in_a_part_and_parameters_in_fields(api: World, ann: Client) -> None:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="phonebook_id"\r\n\r\n1\r\n',
        b'--b\r\nContent-Disposition: form-data; name="mapping"\r\n\r\ncontact=B,first_name=A\r\n',
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a list.txt"\r\nContent-Type: text/plain\r\n\r\n',
        b"A;B\r\nAna;+15551230001\r\n\r\n--b--\r\n",
    ]
    reply = await ann.ask("POST", "imports", data=b"".join(parts), content_type="multipart/form-data; boundary=b")
    assert reply.status == 202, reply.text
    assert (reply.json["name"], reply.json["mapping"]) == ("a list.txt", {"contact": "B", "first_name": "A"})
    async with working(api):
        assert (await ended(ann, 1))["taken"] == 1
    assert api.sql("SELECT number, first_name FROM contact") == [("+15551230001", "Ana")]


@pytest_twisted.ensureDeferred
async def test_a_dry_run_tells_what_the_real_run_does_and_writes_nothing(api: World, ann: Client) -> None:
    api.sql("UPDATE user_account SET max_number_subscriber_campaign = 900")
    await api.contact("+15551230001")
    lines = [f"+1555{n:07}" for n in range(1230000, 1231300)] + ["x", "+15551230005", "112"]
    text = "contact\n" + "\n".join(lines) + "\n"
    dry = await done(api, ann, text, dry_run="yes")
    assert len(numbers(api)) == 1
    real = await done(api, ann, text)
    assert counts(dry) == counts(real)
    assert (real["taken"], real["already_there"], real["duplicates"]) == (899, 1, 1)
    assert real["reasons"] == {"limit of the user": 400, "no number": 1, "emergency number": 1}
    assert (await ann.get("imports/1/errors")).text == (await ann.get("imports/2/errors")).text


@pytest_twisted.ensureDeferred
async def test_national_numbers_of_another_region_are_taken_in_their_international_form(api: World, ann: Client) -> None:
    await api.management.ask(phonebooks.change, ADMINISTRATOR, 1, {"region": "DE"})
    text = "contact\n06 71 23 45 67\n+33612345678\n06 12 34 56 79\n"
    found = await done(api, ann, text, region="FR")
    assert found["taken"] == 3, (await ann.get("imports/1/errors")).text
    assert api.sql("SELECT number, identity FROM contact ORDER BY id") == [
        ("+33671234567", "33671234567"),
        ("+33612345678", "33612345678"),
        ("+33612345679", "33612345679"),
    ]


@pytest_twisted.ensureDeferred
async def test_others_hear_of_a_file_that_was_taken_and_of_no_dry_run(api: World, ann: Client) -> None:
    await ann.post("webhooks", {"url": "https://crm.example.com/", "kinds": ["import.finished"]})
    await done(api, ann, MIXED, dry_run="yes")
    assert api.sql("SELECT kind FROM event") == []
    await done(api, ann, MIXED)
    ((kind, user_id, data),) = api.sql("SELECT kind, user_id, data FROM event")
    told = orjson.loads(data)
    assert (kind, user_id, told["rows"], told["taken"], told["refused"]) == ("import.finished", 1, 6, 2, 3)


# --- crashes ----------------------------------------------------------------------------------------------------------------


def lines_of(count: int, seed: int) -> list[str]:
    """Rows, some of which are refused by their content, some by the database, some twice."""
    chance = random.Random(seed)
    rows = [f"+1555{n:07},{'=1+1' if n % 50 == 0 else 'Ana'}" for n in range(count)]
    for place in chance.sample(range(count), count // 10):
        rows[place] = chance.choice(["x,y", "+15550000001,twice", f"+1666{place:07},refused", "112,"])
    chance.shuffle(rows)
    return rows


@pytest.mark.parametrize("seed", [1, 2])
@pytest_twisted.ensureDeferred
async def test_an_import_that_is_killed_at_any_chunk_goes_on_to_exactly_the_rows_of_the_file(
    api: World, ann: Client, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sql("INSERT INTO number_pattern (user_id, kind, pattern, matcher) VALUES (1, 'blacklist', '1666', '1666%')")
    text = "contact,first_name\n" + "\n".join(lines_of(6 * CHUNK + 70, seed)) + "\n"
    whole = await done(api, ann, text)
    expected = (sorted(numbers(api)), counts(whole), (await ann.get("imports/1/errors")).text)
    await removals.phonebook(api.management, ADMINISTRATOR, 1)
    await api.campaign("autumn")
    ((book,),) = api.sql("SELECT max(id) FROM phonebook")
    assert (await send(ann, text, phonebook_id=book)).status == 202
    chance, kills = random.Random(seed), 0
    plain = api.management.ask_in_short_turn

    def mortal(after: int, *, committed: bool) -> Any:
        """The process ends at that chunk, before it is taken or when it was."""
        left = after

        async def ask(use_case: Any, *args: Any) -> Any:
            nonlocal left
            if use_case is import_jobs.take:
                left -= 1
                if left == 0 and not committed:
                    raise StoreError("killed")
            found = await plain(use_case, *args)
            if use_case is import_jobs.take and left == 0:
                raise StoreError("killed")
            return found

        return lambda *args: Deferred.fromCoroutine(ask(*args))

    worker = worker_of(api)
    worker._pool.start()
    for committed in (True, False, True, False):
        killer = mortal(chance.choice((1, 2)), committed=committed)
        with monkeypatch.context() as patched:
            patched.setattr(type(api.management), "ask_in_short_turn", lambda _, *args, killer=killer: killer(*args))
            await worker.look()
            await until(lambda: not worker._runs)
        kills += 1
    worker._pool.stop()
    async with working(api):
        found = await ended(ann, 2)
    assert kills == 4
    taken = sorted(number for (number,) in api.sql("SELECT number FROM contact WHERE phonebook_id = ?", book))
    assert (taken, counts(found)) == expected[:2]
    assert (await ann.get("imports/2/errors")).text == expected[2]


@pytest_twisted.ensureDeferred
async def test_two_imports_at_once_and_two_nodes_take_each_row_once(api: World, ann: Client) -> None:
    both = [f"+1555{n:07}" for n in range(3 * CHUNK)]
    for part in (both[: 2 * CHUNK], both[CHUNK:]):
        assert (await send(ann, "contact\n" + "\n".join(part))).status == 202
    async with working(api, "one"), working(api, "two"):
        first, second = await ended(ann, 1), await ended(ann, 2)
    assert numbers(api) == both
    assert first["taken"] + second["taken"] == 3 * CHUNK
    assert first["already_there"] + second["already_there"] == CHUNK
    assert files(api) == []


@pytest_twisted.ensureDeferred
async def test_what_another_node_holds_is_left_alone_until_its_lease_is_over(api: World, ann: Client) -> None:
    api.management.now = utc_now  # PostgreSQL looks at its own clock
    await send(ann, "contact\n+15551230001\n")
    held = await api.management.ask(import_jobs.hold, 1, "other")
    assert held is not None
    worker = worker_of(api)
    worker._pool.start()
    await worker.look()
    assert not worker._runs
    assert (await ann.get("imports/1")).json["state"] == "running"
    api.sql("UPDATE import_job SET held_until = ?", "2026-11-23 10:00:00.000000")
    await worker.look()
    await until(lambda: not worker._runs)
    worker._pool.stop()
    assert (await ann.get("imports/1")).json["state"] == "finished"


def evolve_now(api: World, seconds: int) -> bool:
    api.management.now = lambda: NOW + timedelta(seconds=seconds)
    return True


# --- cancelled, removed -----------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_cancelled_import_takes_no_more_and_leaves_no_file(api: World, ann: Client) -> None:
    await send(ann, "contact\n" + "\n".join(f"+1555{n:07}" for n in range(40 * CHUNK)))
    async with working(api):
        while not (await ann.get("imports/1")).json["rows"]:
            await sleep(0.001)
        reply = await ann.post("imports/1/cancel")
        assert reply.json["state"] == "cancelled"
        taken = len(numbers(api))
        await until(lambda: not files(api))
        assert len(numbers(api)) == taken == (await ann.get("imports/1")).json["taken"] < 40 * CHUNK
    assert (await ann.post("imports/1/cancel")).json["ended_at"] == reply.json["ended_at"]


@pytest_twisted.ensureDeferred
async def test_a_removed_import_takes_its_files_along(api: World, ann: Client) -> None:
    await done(api, ann, MIXED)
    await send(ann, MIXED)
    assert files(api) == [".upload"]
    assert [(await ann.delete(f"imports/{number}")).status for number in (1, 2)] == [204, 204]
    assert files(api) == []
    assert problem(await ann.get("imports/1")) == (404, "not-found")
    assert api.sql("SELECT count(*) FROM import_error") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_the_removal_of_a_phonebook_ends_its_imports(api: World, ann: Client) -> None:
    await send(ann, MIXED)
    await removals.phonebook(api.management, ADMINISTRATOR, 1)
    found = await ended(ann, 1)
    assert (found["state"], found["problem"]) == ("cancelled", "its phonebook was removed")
    await removals.campaign(api.management, ADMINISTRATOR, 1)
    await api.management.ask(removals.user_without_anything, 1)
    assert api.sql("SELECT count(*) FROM import_job") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_old_imports_and_files_of_nobody_are_tidied_up(api: World, ann: Client) -> None:
    await done(api, ann, MIXED)
    assert api.management.imports is not None
    nobodys, fresh = (api.management.imports.path / f"{name * 32}.upload" for name in "ab")
    for path in (nobodys, fresh):
        path.write_text("contact")
    moment = NOW.timestamp()

    os.utime(nobodys, (moment - 7200, moment - 7200))
    os.utime(fresh, (moment, moment))
    async with working(api):
        await until(lambda: not nobodys.exists())
    assert files(api) == [".upload"]
    evolve_now(api, 25 * 3600)
    for path in api.management.imports.path.iterdir():
        os.utime(path, (moment, moment))
    async with working(api):
        await until(lambda: not files(api))
    assert (await ann.get("imports")).json["data"] == []
    assert api.sql("SELECT count(*) FROM import_error") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_a_file_that_is_gone_fails_its_import(api: World, ann: Client) -> None:
    await send(ann, MIXED)
    assert api.management.imports is not None
    for path in api.management.imports.path.iterdir():
        path.unlink()
    async with working(api):
        found = await ended(ann, 1)
    assert (found["state"], found["problem"]) == ("failed", "its file is not there any more")


# --- several nodes ----------------------------------------------------------------------------------------------------------


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_another_node_gives_the_rows_that_one_has_refused(api: World, ann: Client, tmp_path: Path) -> None:
    from twisted.internet import reactor

    await done(api, ann, MIXED)
    here = (await ann.get("imports/1/errors")).text
    assert here.count(b"\n") == 5
    other = Database(api.database.url, reactor, dialling=True, node=NodeIdentity(name="other", lease=600.0))
    await other.start()
    try:
        management = Management(other, lambda: NOW, None, reactor, imports=ImportFolder(tmp_path / "elsewhere"))
        there = b"".join([piece async for piece in import_errors.pieces(management, 1)])
        assert there == here
    finally:
        await other.stop()


# --- refused rows -----------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_so_much_of_what_was_refused_is_kept_and_the_rest_is_counted(
    api: World, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_errors, "MOST", 2000)
    monkeypatch.setattr(import_errors, "PIECE", 300)
    found = await done(api, ann, "contact,first_name\n" + "x,Ana\n" * 1200)
    text = (await ann.get("imports/1/errors")).text
    kept = text.count(b"\n") - 1
    assert 1900 < len(text) <= 2000
    assert (found["refused"], found["errors_left_out"]) == (1200, 1200 - kept)
    assert api.sql("SELECT errors_size FROM import_job") == [(len(text),)]
    assert max(size for (size,) in api.sql("SELECT length(content) FROM import_error")) <= 300


# --- do-not-call lists ------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_file_goes_onto_a_do_not_call_list(api: World, ann: Client) -> None:
    listed = (await ann.post("do-not-call-lists", {"name": "letters"})).json["id"]
    lines = ["+1 555 123-0001,asked,", "x,,", "+15551230002,,2030-01-01", "+15551230001,again,", "+15551230003,,yesterday"]
    text = "\n".join(["number,why,until", *lines, ""])
    mapping = orjson.dumps({"contact": "number", "reason": "why", "expires_at": "until"}).decode()
    parameters = {"phonebook_id": "", "list_id": listed, "mapping": mapping}

    async def taken(**more: object) -> dict[str, Any]:
        query = {name: value for name, value in {**parameters, **more}.items() if value}
        reply = await ann.ask("POST", f"imports?{urlencode(query)}", data=text.encode(), content_type=CSV)
        assert reply.status == 202, reply
        async with working(api):
            return await ended(ann, reply.json["id"])

    dry = await taken(dry_run="yes")
    assert api.sql("SELECT count(*) FROM do_not_call") == [(0,)]
    real = await taken()
    assert counts(dry) == counts(real)
    assert (real["state"], real["taken"], real["duplicates"], real["refused"]) == ("finished", 2, 1, 2)
    assert (real["phonebook_id"], real["list_id"], real["added_by"]) == (None, listed, "ann")
    held = api.sql("SELECT number, reason, source, expires_at, added_by FROM do_not_call ORDER BY number")
    assert held == [
        ("+15551230001", "asked", "", None, "ann"),
        ("+15551230002", "", "", "2030-01-01 00:00:00.000000", "ann"),
    ]
    assert [each["id"] for each in (await ann.get(f"imports?list_id={listed}")).json["data"]] == [real["id"], dry["id"]]
    bob = ann.of("bob")
    assert problem(await bob.get(f"imports/{real['id']}")) == (404, "not-found")
    refused = await bob.ask("POST", f"imports?list_id={listed}", data=b"contact\n1", content_type=CSV)
    assert problem(refused) == (400, "bad-value")
    everybodys = await ann.ask("POST", "imports?list_id=1", data=b"contact\n1555", content_type=CSV)
    assert problem(everybodys) == (403, "forbidden")
    assert problem(await send(ann, MIXED, list_id=listed)) == (400, "bad-value"), "into both"


@pytest_twisted.ensureDeferred
async def test_what_goes_onto_the_list_of_everybody_is_seen_by_admins_alone(api: World, ann: Client) -> None:
    root = ann.of("root")
    reply = await root.ask("POST", "imports?list_id=1", data=b"contact\nx\n", content_type=CSV)
    assert reply.status == 202
    await api.management.ask(users.create, {"username": "eve", "password_hash": cheap_hash("eve"), "is_superuser": True,
                                            "role": "operator"})  # fmt: skip
    for who, seen in ((root, 1), (ann.of("eve"), 0), (ann, 0)):
        assert len((await who.get("imports")).json["data"]) == seen
        assert (await who.get("imports/1")).status == (200 if seen else 404)


# --- contacts that are there ------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_contacts_that_are_there_take_what_the_file_has_if_so_wanted(api: World, ann: Client) -> None:
    await done(
        api, ann, "contact,first_name,plan,priority\n+15551230001,Ana,gold,3\n+15551230002,Bob,gold,3\n+15551230003,Cy,,\n"
    )
    text = (
        "contact,first_name,city,priority\n+1 555 1230001,Anna,Lima,9\n+15551230002,,,\n+15551230004,Di,,\n+15551230003,Cy,,\n"
    )
    kept = await done(api, ann, text)
    assert (kept["taken"], kept["already_there"], kept["changed"]) == (1, 3, 0)
    before = api.sql("SELECT * FROM contact ORDER BY id")
    dry = await done(api, ann, text, doubles="change", dry_run="yes")
    assert (dry["changed"], api.sql("SELECT * FROM contact ORDER BY id")) == (1, before)
    found = await done(api, ann, text, doubles="change")
    assert (found["taken"], found["already_there"], found["changed"]) == (0, 4, 1)
    stored = api.sql("SELECT number, first_name, priority, additional_vars FROM contact ORDER BY id")
    assert [(number, name, priority, orjson.loads(more)) for number, name, priority, more in stored] == [
        ("+15551230001", "Anna", 9, {"plan": "gold", "city": "Lima"}),
        ("+15551230002", "Bob", 3, {"plan": "gold"}),
        ("+15551230003", "Cy", 5, {}),
        ("+15551230004", "Di", 5, {}),
    ]
    assert api.sql("SELECT priority FROM subscriber ORDER BY id") == [(9,), (3,), (5,), (5,)]


@pytest_twisted.ensureDeferred
async def test_columns_can_be_left_out(api: World, ann: Client) -> None:
    text = "contact,secret,city\n+15551230001,x,Lima\nx,y,z\n"
    found = await done(api, ann, text, mapping=orjson.dumps({"contact": "contact", "-": "2"}).decode())
    assert found["taken"] == 1
    assert api.sql("SELECT additional_vars FROM contact") == [('{"city":"Lima"}',)]
    assert b"x,y,z" in (await ann.get("imports/1/errors")).text, "a row is given back whole"
    assert problem(await send(ann, text, mapping=orjson.dumps({"-": "9"}).decode())) == (400, "bad-value")
