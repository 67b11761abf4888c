"""What FreeSWITCH posts and spools becomes the signal that the end of the call would have been."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.cdr import DetailRecord, read_record
from dialer.errors import BadValue
from dialer.model import Hangup, SignalKind
from tests.unit.cdr.bodies import ACCOUNT, record, recorded


def hangup(name: str) -> Hangup:
    found = read_record(recorded(name)).hung_up.hangup
    assert found is not None
    return found


def test_an_answered_call_is_told_with_its_times() -> None:
    found = read_record(recorded("answered.json"))
    assert found.account_code == ACCOUNT
    assert found.call_uuid == found.hung_up.call_uuid == "83470e74-a334-4935-9e79-45bf27a7096b"
    assert found.hung_up.kind is SignalKind.HUNG_UP
    assert found.hung_up.at == datetime(2026, 11, 23, 7, 48, 32, 118024, tzinfo=UTC)
    assert found.hung_up.hangup == Hangup(
        cause="NORMAL_CLEARING",
        q850=16,
        sip_status=200,
        sip_disposition="recv_bye",
        rang=True,
        answered=True,
        ring_ms=219,
        talk_ms=2020,
        duration_ms=2240,
        rang_at=datetime(2026, 11, 23, 7, 48, 29, 878046, tzinfo=UTC),
        answered_at=datetime(2026, 11, 23, 7, 48, 30, 98034, tzinfo=UTC),
    )


def test_a_call_that_nobody_took_rang_until_it_was_cancelled() -> None:
    found = hangup("no-answer.json")
    assert (found.cause, found.sip_status, found.sip_disposition) == ("NO_ANSWER", None, "send_cancel")
    assert (found.rang, found.answered, found.ring_ms, found.talk_ms) == (True, False, 1119, 0)


def test_a_number_that_does_not_exist_never_rang() -> None:
    found = hangup("not-found.json")
    assert (found.cause, found.sip_status, found.rang, found.ring_ms) == ("UNALLOCATED_NUMBER", 404, False, 0)


@pytest.mark.parametrize("name", ["busy.json", "busy-encoded.form", "busy-base64.form"])
def test_a_busy_call_is_told_in_each_encoding(name: str) -> None:
    found = hangup(name)
    assert (found.cause, found.q850, found.sip_status, found.rang, found.answered) == ("USER_BUSY", 17, 486, True, False)


def test_encoded_values_in_an_encoded_body_cannot_be_read() -> None:
    with pytest.raises(BadValue, match="encode-values"):
        read_record(recorded("busy-encoded-twice.form"))


def test_what_could_not_be_posted_is_read_from_disk_still_encoded() -> None:
    content = recorded("busy.json")
    expected = read_record(content)
    assert read_record(content + b"\n") == expected
    assert read_record(quote(content).encode() + b"\n") == expected
    assert read_record(base64.b64encode(content) + b"\n") == expected


def test_bytes_that_are_not_utf_8_do_not_spoil_a_record() -> None:
    content = recorded("busy.json").replace(b"Ann B", b"Ann \xff")
    assert read_record(content).hung_up.cause == "USER_BUSY"


@pytest.mark.parametrize(
    "content",
    [b"", b"cdr=", b"{}", b"[]", b"null", b"{", b"cdr=%7B", b"cdr=e30=", b"\xff\xfe", b'{"variables": []}',
     b'{"variables": {}}',
     record(""), record("a", end_uepoch="0"), record("a", end_uepoch="-5"), record("a", end_uepoch="9" * 18),
     record("a", end_uepoch=5), b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(BadValue):
        read_record(content)


def test_figures_that_are_none_count_as_nothing() -> None:
    found = read_record(record("a", billmsec="x", mduration=None, hangup_cause_q850="²", sip_term_status="")).hung_up.hangup
    assert found is not None
    assert (found.talk_ms, found.duration_ms, found.q850, found.sip_status) == (0, 0, None, None)


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(BadValue):
        assert isinstance(read_record(content), DetailRecord)
