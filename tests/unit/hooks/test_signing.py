"""Signatures are those of Standard Webhooks, as its own package verifies them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from dialer.hooks.signing import secret_from, signature, signed_headers
from dialer.model import Webhook
from dialer.wall_clock import utc_now

ONE, OTHER = secret_from(bytes(range(32))), secret_from(bytes(range(32, 64)))
BODY = '{"type":"attempt.ended","data":{"name":"Zoë"}}'.encode()


def test_the_published_package_verifies_a_signature() -> None:
    headers = signed_headers((ONE,), "evt_1", utc_now(), BODY)
    assert Verifier(ONE).verify(BODY, headers) == {"type": "attempt.ended", "data": {"name": "Zoë"}}


def test_it_is_that_of_the_published_package() -> None:
    now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert signature(ONE, "evt_1", int(now.timestamp()), BODY) == Verifier(ONE).sign("evt_1", now, BODY.decode())


@pytest.mark.parametrize("changed", ["body", "id", "secret", "timestamp"])
def test_whatever_is_changed_on_the_way_is_noticed(changed: str) -> None:
    headers = signed_headers((ONE,), "evt_1", utc_now(), BODY)
    body, secret = BODY, ONE
    match changed:
        case "body":
            body = BODY.replace(b"ended", b"begun")
        case "id":
            headers["webhook-id"] = "evt_2"
        case "timestamp":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
        case _:
            secret = OTHER
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body, headers)


def test_with_two_secrets_either_verifies() -> None:
    headers = signed_headers((OTHER, ONE), "evt_1", utc_now(), BODY)
    for secret in (ONE, OTHER):
        Verifier(secret).verify(BODY, headers)


def test_the_old_secret_signs_until_its_time_is_over() -> None:
    now = utc_now()
    webhook = Webhook(
        user_id=1, url="https://a.example/", kinds="*", secret=OTHER, old_secret=ONE, old_secret_until=now + timedelta(hours=1)
    )
    assert webhook.secrets(now) == (OTHER, ONE)
    assert webhook.secrets(now + timedelta(hours=1)) == (OTHER,)
    assert ONE not in repr(webhook)
    assert OTHER not in repr(webhook)


@pytest.mark.parametrize(("length", "good"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_24_to_64_bytes(length: int, good: bool) -> None:
    if good:
        assert len(base64.b64decode(secret_from(b"x" * length).removeprefix("whsec_"))) == length
    else:
        with pytest.raises(ValueError, match="no secret"):
            secret_from(b"x" * length)
