"""`dialer webhook`: what it shows, and what it keeps to itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.forks import dialer
from tests.grounds import rows
from tests.integration.run_support import change, good, new_folder, ran

URL = "https://crm.example.com/dialer?key=1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_folder(tmp_path_factory.mktemp("webhooks") / "dialer")


def test_a_webhook_is_added_shown_changed_and_removed(made: Path) -> None:
    told = json.loads(good(made, "webhook", "add", URL, "--user", "admin", "--kinds", "attempt.ended,contact.*", "--json"))
    secret = told["secret"]
    assert secret.startswith("whsec_")
    [shown] = json.loads(good(made, "webhook", "list", "--json"))
    assert (shown["url"], shown["user"], shown["kinds"]) == (URL, "admin", "attempt.ended contact.*")
    assert (shown["batch_size"], shown["status"]) == (1, "active")
    good(made, "webhook", "set", URL, "--batch-size", "50", "--kinds", "*")
    rotated = json.loads(good(made, "webhook", "rotate", URL, "--json"))
    assert rotated["secret"] != secret
    for words in (["list"], ["list", "--json"], ["show", URL], ["show", str(told["id"]), "--json"], ["deliveries", URL]):
        out = good(made, "webhook", *words)
        assert secret.removeprefix("whsec_") not in out
        assert rotated["secret"].removeprefix("whsec_") not in out
    assert "50" in good(made, "webhook", "show", URL)
    good(made, "webhook", "remove", URL)
    assert json.loads(good(made, "webhook", "list", "--json")) == []


def test_a_disabled_one_is_enabled_and_its_deliveries_are_paged_and_replayed(made: Path) -> None:
    number = json.loads(good(made, "webhook", "add", URL, "--user", "admin", "--kinds", "*", "--json"))["id"]
    url = f"sqlite:///{made / 'dialer.db'}"
    now = "2026-11-27 12:00:00.000000"
    rows(url, "UPDATE webhook SET status = 'disabled', reason = 'gone'")
    rows(
        url,
        "INSERT INTO event (kind, version, at, sequence, user_id, call_uuid, data) "
        "VALUES ('attempt.ended', 1, ?, 5, 1, 'c', '{}')",
        now,
    )
    for status in ("dead", "delivered", "dead"):
        rows(
            url,
            "INSERT INTO webhook_delivery (webhook_id, events, attempts, status, tries, error, created_at, updated_at) "
            "VALUES (?, '[1]', 'c', ?, 10, 'the answer was 500', ?, ?)",
            number, status, now, now,
        )  # fmt: skip
    assert "gone" in good(made, "webhook", "list")
    assert good(made, "webhook", "enable", URL) == f"webhook {URL} enabled\n"
    page = json.loads(good(made, "webhook", "deliveries", URL, "--status", "dead", "--limit", "1", "--json"))
    assert [each["id"] for each in page["deliveries"]] == [3]
    assert "older ones: --before 3" in good(made, "webhook", "deliveries", URL, "--limit", "1")
    rest = json.loads(good(made, "webhook", "deliveries", URL, "--status", "dead", "--before", str(page["before"]), "--json"))
    assert ([each["id"] for each in rest["deliveries"]], rest["before"]) == ([1], None)
    good(made, "webhook", "replay", URL, "--delivery", "3")
    told = json.loads(
        good(made, "webhook", "replay", URL, "--since", "2026-11-27 11:00:00", "--until", "2026-11-27 13:00:00", "--json")
    )
    assert told == {"events": 1, "last": None}
    assert rows(url, "SELECT events, tries FROM webhook_delivery WHERE status = 'due'") == [("[1]", 0), ("[1]", 0)]
    good(made, "webhook", "remove", str(number))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["add", URL, "--kinds", "*"], "--user: is needed"),
        (["add", URL, "--user", "admin"], "--kinds: is needed"),
        (["add", URL, "--user", "admin", "--kinds", "attempt.exploded"], "there are no events 'attempt.exploded'"),
        (["add", "http://127.0.0.1:8000/", "--user", "admin", "--kinds", "*"], "webhooks.allow"),
        (["add", "https://127.0.0.1/", "--user", "admin", "--kinds", "*"], "no public address"),
        (["add", "https://a:b@example.com/", "--user", "admin", "--kinds", "*"], "no user and no password"),
        (["add", URL, "--user", "admin", "--kinds", "*", "--campaign-id", "99"], "there is no campaign 99"),
        (["add", URL, "--user", "nobody", "--kinds", "*"], "there is no user nobody"),
        (["show", "https://other.example/"], "there is no webhook"),
        (["deliveries", URL, "--status", "lost"], "--status: expected"),
        (["deliveries", URL, "--limit", "x"], "--limit: expected"),
        (["replay", URL], "name --delivery, or --since"),
        (["replay", URL, "--since", "yesterday"], "--since: expected"),
    ],
)
def test_what_is_wrong_is_named(made: Path, words: list[str], problem: str) -> None:
    status, out, err = ran(made, "webhook", *words)
    assert status
    assert out == ""
    assert problem in err


def test_a_trial_tells_why_nothing_arrives(made: Path) -> None:
    change(made, allow='["127.0.0.0/8"]')
    file = made / "dialer.toml"
    text = file.read_text()
    # `allow` of the switches stands first in the file.
    file.write_text(
        text.replace('allow = ["127.0.0.0/8"]', '#allow = ["127.0.0.1", "::1"]', 1).replace(
            "#allow = []", 'allow = ["127.0.0.0/8"]'
        )
    )
    good(made, "webhook", "add", "http://127.0.0.1:9999/", "--user", "admin", "--kinds", "*")
    told = dialer("webhook", "test", "http://127.0.0.1:9999/", "-c", file)
    assert told.returncode == 1
    assert "refused" in told.stderr
    assert "ms" in told.stderr
