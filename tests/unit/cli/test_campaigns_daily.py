"""An admin's day with campaigns: started and stopped, how far they are, why nobody is called, what became of the contacts."""

from __future__ import annotations

import csv
import io

import pytest

from tests.grounds import rows

T = "2026-11-23 10:00:00.000000"


@pytest.fixture
def spring(unfurnished):
    return unfurnished.furnish(_add_spring)


def _add_spring(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("gateway", "add", "carrier", "--hostname", "h")
    commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    commands.good("campaign", "add", "spring", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello")
    file = commands.folder / "contacts.csv"
    file.write_text("contact,first_name\n+15551230001,Ana\n+15551230002,Ben\n")
    commands.good("contact", "import", file, "--phonebook", "spring")


def states(commands, name="spring"):
    return commands.good("campaign", "show", name, "--json").json["contacts_by_state"]


@pytest.mark.parametrize(("action", "status"), [("pause", "pause"), ("stop", "end"), ("abort", "abort"), ("start", "start")])
def test_campaigns_are_started_and_stopped_by_name_or_id(spring, action, status):
    spring.good("campaign", "add", "autumn", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello")
    assert spring.good("campaign", action, "spring", 2).out == f"campaign spring: {status}\ncampaign autumn: {status}\n"
    assert [each["status"] for each in spring.good("campaign", "list", "--json").json] == [status, status]


def test_a_draft_is_started_and_goes_on_after_a_pause(spring):
    words = ("--user", "ann", "--gateway", "carrier", "--voip-app", "hello", "--draft")
    spring.good("campaign", "add", "autumn", *words)
    assert "is a draft" in spring.failed("campaign", "resume", "autumn")
    assert "draft" in spring.good("why", "autumn").out
    spring.good("campaign", "start", "autumn")
    spring.good("campaign", "pause", "autumn")
    assert spring.good("campaign", "resume", "autumn").out == "campaign autumn: start\n"


def test_contacts_that_failed_are_called_again(spring):
    rows(spring.url, "UPDATE subscriber SET status = 4, ready_at = NULL WHERE id = 1")
    rows(spring.url, "UPDATE subscriber SET status = 5, ready_at = NULL WHERE id = 2")
    assert spring.good("campaign", "redial", "spring", "--dry-run", "--json").json == {
        "campaign": "spring", "looked_at": 2, "changed": 1, "dry_run": True,
    }  # fmt: skip
    assert states(spring) == {"fail": 1, "complete": 1}
    assert spring.good("campaign", "redial", "spring").out == "campaign spring: 1 of 2 contacts are called again\n"
    assert states(spring) == {"pending": 1, "complete": 1}
    spring.good("campaign", "redial", "spring", "--state", "completed")
    assert states(spring) == {"pending": 2}


def test_nothing_is_changed_when_one_of_the_names_is_wrong(spring):
    assert "there is no campaign nobody" in spring.failed("campaign", "pause", "spring", "nobody")
    assert spring.good("campaign", "show", "spring", "--json").json["status"] == "start"


def test_a_campaign_tells_how_far_it_is_and_why_it_is_idle(spring):
    shown = spring.good("campaign", "show", "spring", "--json").json
    assert (shown["progress"], shown["contacts"], shown["contacts_by_state"], shown["live_calls"]) == (
        "0/2",
        2,
        {"pending": 2},
        0,
    )
    assert shown["idle"] == {"code": "no-dialer", "text": "no dialer is at work with this database", "until": None}
    text = spring.good("campaign", "show", "spring").out
    assert "pending 2" in text
    assert "no dialer is at work with this database" in text
    assert "0/2" in spring.good("campaign", "list").out


def test_why_names_the_reason_of_a_campaign(spring):
    spring.good("campaign", "pause", "spring")
    assert spring.good("why", "spring").out == "campaign spring: the campaign is paused\n"
    assert spring.good("why", "spring", "--json").json["idle"]["code"] == "paused"


@pytest.mark.parametrize("spelling", ["+15551230001", "0015551230001", "+1 (555) 123-0001"])
def test_why_names_all_that_stands_in_the_way_of_a_number(spring, spelling):
    spring.good("dnc", "add", "15551230001", "--reason", "asked")
    spring.good("user", "set", "ann", "--blacklist", "1555")
    lines = spring.good("why", "spring", spelling).out
    assert "+15551230001 is on the do-not-call list as 15551230001 since " in lines
    assert ": asked" in lines
    assert "is on the blacklist of this user" in lines
    assert "when its turn comes" not in lines, "it must not be called"
    assert "the campaign is not calling: no dialer is at work" in lines


def test_why_tells_the_tries_of_a_number(spring):
    rows(
        spring.url,
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
        "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
        "counts_as_attempt, reason, duration_ms, talk_ms) VALUES ('c', 1, 1, 1, '+15551230001', '15551230001', 'x', 1, "
        f"'ended', 'here', 1, '', '{T}', '{T}', '{T}', '{T}', 'USER_BUSY', 'BUSY', 1, 'again later', 5, 1500)",
    )
    rows(spring.url, "UPDATE subscriber SET count_attempt = 1, ready_at = '2036-11-23 10:05:00.000000' WHERE id = 1")
    lines = spring.good("why", "spring", "+15551230001").out
    assert "it is called again on 2036-11-23 10:05:00 UTC at the earliest" in lines
    assert "try 1 on 2026-11-23 10:00:00 UTC: BUSY, USER_BUSY: again later" in lines
    report = spring.good("campaign", "report", "spring", "--json").json
    assert [(each["disposition"], each["cause"], each["attempts"]) for each in report["by_cause"]] == [
        ("BUSY", "USER_BUSY", 1)
    ]
    assert report["totals"]["attempts"] == 1
    told = list(csv.DictReader(io.StringIO(spring.good("campaign", "export", "spring").out)))
    assert [(row["contact"], row["first_name"], row["state"], row["tries"]) for row in told] == [
        ("+15551230001", "Ana", "pending", "1"),
        ("+15551230002", "Ben", "pending", "0"),
    ]
    assert (told[0]["disposition"], told[0]["seconds"], told[0]["last_try"]) == ("BUSY", "1.5", "2026-11-23 10:00:00")


def called(spring, *ends):
    """Attempts that have ended: hour, number, number of attempt, disposition, milliseconds of talk."""
    for call, (hour, contact, number, disposition, talk_ms) in enumerate(ends):
        at = f"2026-11-23 {hour}:10:00.000000"
        rows(
            spring.url,
            "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
            "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
            "counts_as_attempt, duration_ms, talk_ms) VALUES (?, 1, ?, 1, '1', '1', 'x', ?, 'ended', 'here', 1, '', ?, ?, ?, "
            "?, 'NORMAL_CLEARING', ?, 1, 5, ?)",
            f"call-{call}", contact, number, at, at, at, at, disposition, talk_ms,
        )  # fmt: skip


def test_a_report_tells_the_statistics_of_a_campaign(spring):
    ends = [("10", 1, 1, "NO_ANSWER", 0), ("11", 1, 2, "ANSWERED", 3000), ("11", 2, 1, "MACHINE", 1000)]
    called(spring, *ends)
    found = spring.good("campaign", "report", "spring", "--json").json
    sums = {"counted": 3, "answered": 2, "answer_rate": 0.6667, "talk_ms": 4000, "mean_talk_ms": 2000}
    assert found["totals"] == {"attempts": 3, **sums}
    assert found["contacts"]["pending"] == 2
    assert (found["forecast"]["contacts_left"], found["forecast"]["reason"]) == (2, None)
    lines = [" ".join(line.split()) for line in spring.good("campaign", "report", "spring").out.splitlines()]
    assert lines[:2] == [
        "campaign spring: 2 contacts (2 pending)",
        "3 attempts have ended, 3 count, 2 were answered (66.7%), 4 s talked (2.0 s on average); calls now: 0",
    ]
    assert lines[2].startswith("2 contacts left, about 8 calls at 10.0 a minute; the last one may begin on 20")
    for line in (
        "NO_ANSWER 1 1 0 0.0% 0 -",
        "ANSWERED NORMAL_CLEARING 1 1 1 100.0% 3 3.0",
        "carrier 3 3 2 66.7% 4 2.0",
        "no. 1 2 2 1 50.0% 1 1.0",
        "2026-11-23 11:00 2 2 2 100.0% 4 2.0",
        "attempts made contacts",
        "2 1",
    ):
        assert line in lines


def test_a_report_of_some_hours_has_their_attempts_alone(spring):
    called(spring, *[(hour, 1, 1, "BUSY", 0) for hour in ("09", "10", "11")])
    window = ("--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T12:00:00+01:00")
    found = spring.good("campaign", "report", "spring", *window, "--json").json
    assert (found["from"], found["to"]) == ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z")
    assert [each["hour"] for each in found["by_hour"]] == ["2026-11-23T10:00:00Z"]
    text = spring.good("campaign", "report", "spring", *window).out
    assert "1 attempts have ended from 2026-11-23 10:00 UTC to 2026-11-23 11:00 UTC, " in text


@pytest.mark.parametrize("hour", ["2026-11-23T10:30:00Z", "10", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_hour_is_refused(spring, hour):
    told = spring.refused("campaign", "report", "spring", "--from", hour)
    assert told.startswith("--from: expected a full hour of UTC as in RFC 3339, such as ")
    window = ("--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T10:00:00Z")
    assert "--to: is not after --from" in spring.refused("campaign", "report", "spring", *window)


def test_why_tells_of_numbers_that_are_not_there_and_of_what_is_none(spring):
    assert spring.good("why", "spring", "+15559999999").out == "+15559999999: the campaign does not have it\n"
    assert "'14/06/2011' is a date" in spring.refused("why", "spring", "14/06/2011")
    assert "there is no campaign autumn" in spring.failed("why", "autumn")


def test_a_phonebook_is_called_by_a_further_campaign_and_no_more(spring):
    spring.good("campaign", "add", "autumn", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello")
    assert "2 contacts more" in spring.good("campaign", "attach", "autumn", "spring").out
    assert states(spring, "autumn") == {"pending": 2}
    spring.good("campaign", "detach", "autumn", "spring")
    assert states(spring, "autumn") == {}
    assert states(spring) == {"pending": 2}
    assert "there is no phonebook nobook" in spring.refused("campaign", "attach", "autumn", "nobook")


def test_a_new_campaign_may_call_a_phonebook_that_is_there(spring):
    spring.good("campaign", "add", "autumn", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello",
                "--phonebook", "spring")  # fmt: skip
    assert states(spring, "autumn") == {"pending": 2}


def test_a_removed_campaign_is_in_no_list_and_its_name_is_free(spring):
    assert spring.good("campaign", "remove", "spring").out == "campaign spring removed\n"
    assert spring.good("campaign", "list", "--json").json == []
    spring.good("campaign", "add", "spring", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello")


def test_an_outcome_goes_to_a_file_and_to_programs(spring, tmp_path):
    file = tmp_path / "out.csv"
    spring.good("campaign", "export", "spring", file)
    assert file.read_text().splitlines()[0].startswith("contact,first_name,last_name,state,tries")
    lines = spring.good("campaign", "export", "spring", "--json").out.splitlines()
    assert '"contact": "+15551230001"' in lines[0]
    assert len(lines) == 2


def test_an_export_of_no_campaign_leaves_the_file_as_it_is(spring, tmp_path):
    file = tmp_path / "outcome.csv"
    file.write_text("of yesterday\n")
    assert "there is no campaign autumn" in spring.failed("campaign", "export", "autumn", file)
    assert file.read_text() == "of yesterday\n"


def test_a_phonebook_is_looked_for_among_those_of_the_campaigns_user(spring):
    spring.good("user", "add", "bob", "--generate-password")
    for user, name in (("bob", "spring"), ("bob", "winter"), ("ann", "autumn")):
        spring.good("campaign", "add", name, "--user", user, "--gateway", "carrier", "--voip-app", "hello")
    assert "2 contacts more" in spring.good("campaign", "attach", "autumn", "spring").out
    spring.good("campaign", "detach", "autumn", "spring")
    assert "there is no phonebook winter" in spring.refused("campaign", "attach", "autumn", "winter")


def test_a_preview_tells_who_will_be_called_later_and_never(spring):
    spring.good("dnc", "add", "+15551230001")
    found = spring.good("campaign", "preview", "spring", "--horizon", "1d", "--list", "called", "--json").json
    assert (found["called"], found["later"], found["never"]) == (1, 0, 1)
    assert [(each["prospect"], each["contacts"]) for each in found["reasons"]] == [("called", 1), ("do-not-call", 1)]
    assert [each["number"] for each in found["contacts"]] == ["+15551230002"]
    text = spring.good("campaign", "preview", "spring", "--list", "do-not-call").out
    assert "1 contacts are called, 0 later, 1 never" in text
    assert text.splitlines()[-1].split()[:1] == ["+15551230001"]
    assert states(spring) == {"pending": 2}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--horizon", "soon"), "--horizon: expected a span of time such as 90s, 30m, 1h or 1d"),
        (("--horizon", "8d"), "--horizon: expected a span of time"),
        (("--call-seconds", "0"), "--call-seconds: expected more than 0"),
        (("--limit", "0"), "--limit: expected 1 or more"),
    ],
)
def test_a_preview_of_nonsense_is_refused(spring, options, told):
    assert spring.refused("campaign", "preview", "spring", *options).startswith(told)
