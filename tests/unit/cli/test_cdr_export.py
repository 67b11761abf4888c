"""Call records as a file."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dialer.store.call_records import NAMES
from tests.grounds import rows, script
from tests.seeding import SEED, T
from tests.unit.cli.support import Commands

NOTES = {
    "digits": "1", "recording": "/r/one.wav", "transfer": "answered", "transfer_to": "34911",
    "transfer_cause": "NORMAL_CLEARING", "transfer_seconds": "2.5",
}  # fmt: skip
ENDED = f"""
UPDATE contact SET reference = 'crm-2' WHERE id = 2;
UPDATE attempt SET state = 'ended', rang_at = '{T}', ended_at = '2026-11-23 10:00:01.250000', cause = 'USER_BUSY',
    disposition = 'BUSY',
    counts_as_attempt = 1, q850 = 17, sip_status = 486, sip_disposition = 'recv_refuse', duration_ms = 1250, machine = 0,
    reason = 'because', caller_id = '15550100', caller_name = 'Ana', sent_at = '2026-11-23 10:00:00.012345',
    session = '{json.dumps(NOTES)}';
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, identity)
    VALUES (2, 'two', 1, 1, 1, '100', 'x', 1, 'planned', 'here', 1, '', '2026-11-24 00:00:00.000000', '{T}', '{T}', '100');
"""


@pytest.fixture
def called(commands: Commands) -> Commands:
    script(commands.url, SEED + ENDED)
    return commands


def test_a_record_has_what_is_known_of_the_call(called: Commands) -> None:
    first, second = [json.loads(line) for line in called.good("cdr", "export", "--json").out.splitlines()]
    assert first == {
        "id": 1, "attempt_id": "one", "campaign_id": 1, "campaign": "c", "contact_id": 2, "reference": "crm-2",
        "number": "200", "number_of_attempt": 1, "caller_id": "15550100", "caller_name": "Ana", "gateway_id": 1,
        "gateway": "g", "state": "ended", "planned_at": "2026-11-23T10:00:00.000Z", "sent_at": "2026-11-23T10:00:00.012Z",
        "rang_at": "2026-11-23T10:00:00.000Z", "answered_at": None, "ended_at": "2026-11-23T10:00:01.250Z", "ring_ms": None,
        "talk_ms": None, "duration_ms": 1250, "disposition": "BUSY", "cause": "USER_BUSY", "q850": 17, "sip_status": 486,
        "ended_by": "recv_refuse", "hung_up_by": "callee", "counts": True, "reason": "because", "machine": False,
        "digits": "1", "recording": "/r/one.wav", "second_leg": "answered", "second_leg_to": "34911",
        "second_leg_cause": "NORMAL_CLEARING", "second_leg_ms": 2500, "session": NOTES,
    }  # fmt: skip
    assert (second["attempt_id"], second["state"], second["ended_at"], second["session"]) == ("two", "planned", None, {})


def test_a_file_for_a_spreadsheet_has_a_header(called: Commands) -> None:
    file = called.folder / "calls.csv"
    assert called.good("cdr", "export", file).out == f"{file}: 2 call records\n"
    header, first, _ = csv.reader(io.StringIO(file.read_text()))
    assert tuple(header) == NAMES
    assert dict(zip(header, first, strict=True))["session"] == json.dumps(NOTES)
    assert called.good("cdr", "export").out == file.read_bytes().decode()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--campaign", "c"), ["one", "two"]),
        (("--ended",), ["one"]),
        (("--since", "2026-11-23T10:00:00.000001Z"), ["two"]),
        (("--until", "2026-11-24T01:00+01:00"), ["one"]),
        (("--disposition", "BUSY"), ["one"]),
        (("--disposition", "ANSWERED"), []),
        (("--cause", "USER_BUSY"), ["one"]),
        (("--cause", "NO_ANSWER"), []),
        (("--number", "2-00"), ["one"]),
        (("--number", "100", "--ended"), []),
        (("--gateway", "g"), ["one", "two"]),
        (("--answered", "yes"), []),
        (("--answered", "no", "--campaign", "1"), ["one", "two"]),
    ],
)
def test_records_are_chosen(called: Commands, options: tuple[str, ...], found: list[str]) -> None:
    lines = called.good("cdr", "export", "--json", *options).out.splitlines()
    assert [json.loads(line)["attempt_id"] for line in lines] == found


def test_more_than_a_page_is_complete_and_in_order(called: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.management.call_records.steps.__defaults__", (None, 1))
    lines = called.good("cdr", "export", "--json").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2]


def test_what_cannot_be_meant_is_named(called: Commands) -> None:
    assert "there is no campaign" in called.failed("cdr", "export", "--campaign", "winter")
    assert "expected a time such as" in called.run("cdr", "export", "--since", "yesterday").err
    assert "there is no gateway" in called.failed("cdr", "export", "--gateway", "h")
    assert "expected yes or no" in called.run("cdr", "export", "--answered", "maybe").err
    assert "is not a number" in called.run("cdr", "export", "--number", "nobody").err
    assert rows(called.url, "SELECT count(*) FROM attempt") == [(2,)]
