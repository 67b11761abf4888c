"""Every command of docs/api.md, with curl itself, against `dialer run` on the simulator: whole answers, times aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialer.declare import documentation, noun_of
from dialer.model import Campaign
from dialer.store.connection import Dialect
from tests.forks import dialer
from tests.grounds import new_database
from tests.integration.api_document import PAGE, Answer, answer, examples, run
from tests.integration.run_support import change, move_to, started

CONTRACT = [
    "phonebook_id=1&phoneno_list=12345,54344",
    "name=mylittlecampaign&description=&startingdate=1301392136.0&expirationdate=1301332136.0&frequency=20&callmaxduration=50"
    "&maxretry=3&intervalretry=3000&calltimeout=60&aleg_gateway=1&voipapp=1&voipapp_data=2000",
    "contact=650784355&last_name=belaid&first_name=areski&email=areski@gmail.com&phonebook_id=1",
    "name=mylittlephonebook&description=&campaign_id=1",
    "status=2",
]
"""The data of the complete commands of 2011."""

SHORT_ANSWER = """
```sh
curl http://127.0.0.1:8000/
```

```http
HTTP/1.1 200 OK

{"created_date": "2026-01-01 00:00:00", "id": 1}
```
"""


def new_service(folder: Path) -> Path:
    password = folder / "password"
    password.write_text("password")
    made = dialer("init", folder / "demo", "--simulator", "--user", "username", "--password-file", password)
    assert made.returncode == 0, made.stderr
    change(folder / "demo", endpoint='"tcp:0:interface=127.0.0.1"')
    return folder / "demo"


def test_every_command_of_2011_is_on_the_page() -> None:
    commands = [example.command for example in examples(PAGE.read_text())]
    for data in CONTRACT:
        assert any(f'-d "{data}"' in command for command in commands), data


def test_an_example_is_read_whole_but_for_its_times() -> None:
    (found,) = examples(SHORT_ANSWER)
    assert found.command == "curl http://127.0.0.1:8000/"
    assert found.answer == answer("HTTP/1.1 200 OK", '{"id": 1, "created_date": "2027-12-31 23:59:59"}')
    assert found.answer != answer("HTTP/1.1 200 OK", '{"id": 2, "created_date": "2027-12-31 23:59:59"}')
    with pytest.raises(ValueError, match="no answer"):
        examples(SHORT_ANSWER.replace("```http", "```"))


ADDED = {field.v1 for field in noun_of(Campaign).enterable if field.v1}


def as_documented(found: Any, documented: Any) -> Any:
    """Without the settings of a campaign that the example leaves out: the page has a table of them."""
    match found, documented:
        case Answer(), Answer():
            return Answer(found.status, as_documented(found.body, documented.body))
        case dict(), dict():
            left_out = {name for name in found if name not in documented and name in ADDED}
            return {name: as_documented(each, documented.get(name)) for name, each in found.items() if name not in left_out}
        case list(), list() if len(found) == len(documented):
            return [as_documented(*pair) for pair in zip(found, documented, strict=True)]
    return found


def with_skipped_id(found: Answer, documented: Answer) -> Answer:
    """The sequences of a server go on where a row was there already: an id may be a later one."""
    match found.body, documented.body:
        case {"id": int() as made, **rest}, {"id": int() as shown} if made > shown:
            return Answer(found.status, {**rest, "id": shown})
    return found


def test_the_page_has_a_table_of_the_settings_of_a_campaign() -> None:
    assert documentation(Campaign) in PAGE.read_text(), "run: python docs/write.py"


def test_every_command_of_the_page_answers_what_stands_below_it(tmp_path: Path, database_kind: Dialect) -> None:
    page = examples(PAGE.read_text())
    service = new_service(tmp_path)
    if database_kind is Dialect.POSTGRESQL:
        move_to(service, new_database(tmp_path), "username", "password")
    with started(service) as running:
        address = running.addresses["http"]
        for example in page:
            status, headers, body = run(example.command, address)
            found = as_documented(answer(status, body), example.answer)
            if database_kind is Dialect.POSTGRESQL:
                found = with_skipped_id(found, example.answer)
            assert found == example.answer, example.command
            assert headers["vary"] == "Authorization"
            assert headers["content-type"] == "application/json; charset=utf-8"
            assert "server" not in headers
            assert headers.get("www-authenticate", 'Basic realm="Newfies Application"') == 'Basic realm="Newfies Application"'
            assert ("401" in status) == ("www-authenticate" in headers)
            assert ("405" in status) == ("allow" in headers)
