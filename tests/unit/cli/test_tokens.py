"""`dialer token`."""

from __future__ import annotations

import hashlib
import re

import pytest

from dialer.tokens import parse_token
from tests.grounds import rows
from tests.unit.cli.support import Commands

EARLIER = "2020-01-01T00:00:00Z"
LATER = "2999-01-01T00:00:00+01:00"


@pytest.fixture
def ann(commands: Commands) -> Commands:
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("user", "add", "root", "--generate-password", "--superuser")
    return commands


def test_a_token_is_told_once_and_a_hash_of_its_secret_is_stored(ann):
    ran = ann.good("token", "add", "ann", "--name", "reports")
    token = parse_token(ran.out.strip())
    assert token is not None
    stored = rows(ann.url, "SELECT user_id, public_id, secret_hash, name, scopes, expires_at FROM api_token")
    assert stored == [(1, token.public_id, hashlib.sha256(token.secret.encode()).hexdigest(), "reports", "read", None)]
    shown = ann.good("token", "list").out + ann.good("token", "list", "--json").out + ran.err
    assert token.secret not in shown
    assert token.secret_hash not in shown


def test_what_is_asked_for_is_shown_to_programs(ann):
    made = ann.good("token", "add", "ann", "--name", "n", "--scopes", "dial,read", "--expires-at", LATER, "--json").json
    assert re.fullmatch(r"dlr_live_[0-9a-z]{12}_[\w-]{43}", made.pop("token"))
    (listed,) = ann.good("token", "list", "--user", "ann", "--json").json
    assert listed == made
    expected = {"id": 1, "user": "ann", "scopes": ["read", "dial"], "expires_at": "2998-12-31 23:00:00", "last_used_at": None}
    assert {name: made[name] for name in expected} == expected
    assert ann.good("token", "list", "--user", "root", "--json").json == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--scopes", "admin"], "scopes: admin is for superusers only"),
        (["--scopes", "write"], "scopes: expected one or more of read, dial and admin"),
        (["--expires-at", EARLIER], "expires_at: lies in the past"),
        (["--expires-at", "tomorrow"], "expires_at: expected a date and a time"),
    ],
)
def test_a_token_that_could_not_be_used_is_refused(ann, options, problem):
    assert problem in ann.refused("token", "add", "ann", "--name", "n", *options)
    assert rows(ann.url, "SELECT count(*) FROM api_token") == [(0,)]


def test_admin_is_for_superusers(ann):
    assert ann.good("token", "add", "root", "--name", "n", "--scopes", "admin", "--json").json["scopes"] == ["admin"]


def test_a_revoked_token_is_gone_and_an_unknown_one_is_told(ann):
    ann.good("token", "add", "ann", "--name", "n")
    assert ann.good("token", "revoke", 1).out == "token 1 revoked\n"
    assert rows(ann.url, "SELECT count(*) FROM api_token") == [(0,)]
    assert "id: expected a whole number" in ann.refused("token", "revoke", "dlr_live_x")
    assert ann.run("token", "revoke", 1).err == "dialer: there is no token 1\n"


def test_tokens_go_with_their_user(ann):
    ann.good("token", "add", "ann", "--name", "n")
    ann.good("user", "remove", "ann")
    assert rows(ann.url, "SELECT count(*) FROM api_token") == [(0,)]
