"""Files that were sent to `dialer run`, which is killed while it takes them, and beside which it calls."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dialer.store.times import from_column
from tests.grounds import rows
from tests.integration.run_support import PATIENCE, Running, good, headers, started, until
from tests.integration.test_contact_import import FAULTS, ROWS, add_campaign, count, make_file, url_of
from tests.integration.test_contact_import import folder as folder
from tests.integration.test_contact_import import template as template

pytestmark = pytest.mark.timeout(240)


def ask(running: Running, method: str, path: str, body: bytes | None = None) -> Any:
    connection: http.client.HTTPConnection = running.connection()
    more = {} if body is None else {"Content-Type": "text/csv"}
    try:
        connection.request(method, f"/api/v2/{path}", body, {**headers(), **more})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 300, text
        return json.loads(text) if path.partition("/")[2].isdigit() or method == "POST" else text
    finally:
        connection.close()


def ended(running: Running, number: int) -> Mapping[str, Any]:
    last = time.monotonic() + PATIENCE
    while (found := ask(running, "GET", f"imports/{number}"))["ended_at"] is None:
        assert time.monotonic() < last, found
        time.sleep(0.05)
    return dict(found)


def test_imports_of_a_dialer_that_is_killed_at_any_moment_go_on_to_exactly_the_rows_of_their_files(
    folder: Path, tmp_path: Path
) -> None:
    add_campaign(folder, "spring", "--status", "pause")
    add_campaign(folder, "autumn", "--status", "pause")
    file, url = tmp_path / "list.csv", url_of(folder)
    good_numbers, chance = make_file(file), random.Random(3)
    books = [key for (key,) in rows(url, "SELECT id FROM phonebook ORDER BY id")][-2:]
    with started(folder) as running:
        for book in books:
            ask(running, "POST", f"imports?phonebook_id={book}", file.read_bytes())
    reached, kills = 0, 0
    while kills < 4:
        with started(folder) as running:
            enough = reached + chance.randrange(1, 1500)  # it goes on while a busy machine does not let us look
            last = time.monotonic() + PATIENCE
            while (reached := count(url)) < enough:
                assert time.monotonic() < last
                time.sleep(chance.random() * 0.01)
        kills += 1
        reached = count(url)
    assert 0 < reached < 2 * len(good_numbers), "it was killed too early or too late"
    with started(folder) as running:
        found = [ended(running, number) for number in (1, 2)]
        errors = [ask(running, "GET", f"imports/{number}/errors") for number in (1, 2)]
    for book, told, refused in zip(books, found, errors, strict=True):
        assert (told["state"], told["rows"], told["taken"]) == ("finished", ROWS - 1, len(good_numbers))
        assert (told["already_there"], told["duplicates"], told["refused"]) == (0, 0, len(FAULTS) - 1)
        stored = rows(url, "SELECT number FROM contact WHERE phonebook_id = ?", book)
        assert sorted(number for (number,) in stored) == sorted(good_numbers)
        assert [line.partition(",")[0] for line in refused.decode().splitlines()] == ["contact", "x", "112", "1555", "1555"]
    assert list((folder / "imports").iterdir()) == []


def test_a_dialer_calls_on_while_a_file_that_was_sent_is_taken(folder: Path, tmp_path: Path) -> None:
    add_campaign(folder, "calls", "--frequency", 1200)
    add_campaign(folder, "spring", "--status", "pause")
    few, many, url = tmp_path / "few.csv", tmp_path / "many.csv", url_of(folder)
    few.write_text("contact\n" + "".join(f"1444{n:07}\n" for n in range(1000)))
    make_file(many)
    ((book,),) = rows(url, "SELECT max(id) FROM phonebook")
    with started(folder) as running:
        good(folder, "contact", "import", few, "--phonebook", "calls")
        until(url, "SELECT 1 FROM attempt LIMIT 1", 1)
        ((before,),) = rows(url, "SELECT max(planned_at) FROM attempt")
        for number in (1, 2, 3):
            ask(running, "POST", f"imports?phonebook_id={book}", many.read_bytes())
            assert ended(running, number)["rows"] == ROWS - 1
    assert not [line for line in running.lines if "locked" in line or "ERROR" in line]
    times = [from_column(at) for (at,) in rows(url, "SELECT planned_at FROM attempt WHERE planned_at >= ? ORDER BY 1", before)]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(times) > 10
    assert max(gaps) < 6.0, "twenty a second were asked for"
