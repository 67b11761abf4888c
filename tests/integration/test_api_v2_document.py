"""Every command of docs/api-v2.md, with curl itself, against `dialer run` on the simulator: whole answers, but for times,
tokens and the ids of requests."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

from api.v2.problems import documentation
from api.v2.table import all_routes
from dialer.store.connection import Dialect
from tests.grounds import new_database
from tests.integration.api_document import PAGE_V2, Answer, answer, examples, files, run
from tests.integration.run_support import move_to, started
from tests.integration.test_api_document import new_service

RULES = """
[[row]]
place = "FR"
name = "France"
purposes = ["sales"]
weekday = ["10:00-13:00", "14:00-20:00"]
saturday = []
sunday = []
holiday = []
holidays = "FR"
attempts = [{ most = 4, seconds = 2592000 }]
source = "Decret 2022-1313"
read_on = 2026-11-27
confidence = "high"
"""
"""In force where the examples are run: France is called by none of them."""

_WORKED_ON = re.compile("/api/v2/imports/[0-9]+ ")
"""What is done in the background: the page has its end."""
_TOKEN = re.compile(r"dlr_live_[0-9a-z]{12}_[\w-]{43}")


def with_rules(service: Path) -> None:
    """Have it obey `RULES`, and no others."""
    (service / "rules.toml").write_text(RULES)
    file = service / "dialer.toml"
    text, count = re.subn(r'^apply = "none"$', 'apply = "file"\nfile = "rules.toml"', file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)


def test_every_command_of_the_page_answers_what_stands_below_it(tmp_path: Path, database_kind: Dialect) -> None:
    text = PAGE_V2.read_text()
    page, token = examples(text), ""
    for name, content in files(text).items():
        (tmp_path / name).write_text(content)
    service = new_service(tmp_path)
    if database_kind is Dialect.POSTGRESQL:
        move_to(service, new_database(tmp_path), "username", "password")
    with_rules(service)
    with started(service) as running:
        for example in page:
            command = _TOKEN.sub(token, example.command)
            status, headers, body = run(command, running.addresses["http"], tmp_path)
            if _WORKED_ON.search(command):
                ended(command, running.addresses["http"], tmp_path, example.answer)
                continue
            token = token or json.loads(body)["token"]
            assert answer(status, body) == example.answer, example.command
            assert len(headers["x-request-id"]) == 16
            assert ("etag" in headers) == ("200" in status and "-X POST" not in example.command)
        running.send(signal.SIGTERM)
        running.end()
    assert token not in "\n".join(running.lines)


def ended(command: str, address: str, folder: Path, wanted: Answer) -> None:
    """It answers so in the end."""
    last = time.monotonic() + 60
    while True:
        status, _, body = run(command, address, folder)
        found = answer(status, body)
        if found == wanted:
            return
        assert time.monotonic() < last, found


def test_the_page_names_every_address_and_every_kind_of_problem() -> None:
    text = PAGE_V2.read_text()
    assert documentation() in text, "run: python docs/write.py"
    for route in all_routes():
        assert f"`{route.path.partition('/')[0]}" in text
