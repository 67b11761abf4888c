"""The pages of caller ids and of calling rules."""

from __future__ import annotations

import pytest
import pytest_twisted

from api.page.views.caller_ids import pasted_numbers
from api.page.views.charts import sparkline
from api.page.views.rule_words import hours_in_words, limits_in_words
from dialer.rules.book import RuleBook, shipped_rows
from tests.grounds import on_sqlite
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.world import World

POOL = {"name": "sales", "strategy": "sticky", "foreign_callees": "refuse", "time_zone": "America/New_York"}


async def with_pool(api: World, user: str = "root") -> Browser:
    browser = await signed_in(api, user)
    reply = await browser.send("/ui/caller-ids/new", POOL, on="/ui/caller-ids")
    assert reply.headers["location"] == "/ui/caller-ids/1?done=pool-created"
    return browser


async def add(browser: Browser, numbers: str, **more: str) -> int:
    return (await browser.send("/ui/caller-ids/1/numbers", {"numbers": numbers, **more})).status


# --- caller ids -------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_numbers_are_pasted_shown_changed_rested_and_removed(api: World) -> None:
    root = await with_pool(api)
    lines = "+1 (212) 555-0100; Support\r\n\r\n+1 305 555 0100\r\n"
    assert await add(root, lines, daily_cap="50", warm_up_start="10", warm_up_days="5", note="contract 7", gateways="1") == 303
    told = api.sql("SELECT number, name, daily_cap, warm_up_start, note FROM caller_id ORDER BY id")
    assert told == [("+12125550100", "Support", 50, 10, "contract 7"), ("+13055550100", "", 50, 10, "contract 7")]
    assert api.sql("SELECT count(*) FROM caller_id_gateway") == [(2,)]
    assert "count=2" in seen(await root.get("/ui/audit"))
    page = seen(await root.get("/ui/caller-ids/1"))
    assert "0 / 10" in page
    assert "Support" in page
    at = "/ui/caller-ids/1/numbers/1"
    assert (await root.send(f"{at}/settings", {"daily_cap": "60", "active": "0,1"})).status == 303
    assert api.sql("SELECT daily_cap, active FROM caller_id WHERE id = 1") == [(60, 1)]
    assert api.sql("SELECT caller_id_id FROM caller_id_gateway") == [(2,)], "none was ticked"
    assert (await root.send(f"{at}/rest", {"until": "2999-01-01 00:00:00"})).status == 303
    assert "it rests until 2999-01-01" in seen(await root.get(at))
    assert (await root.send(f"{at}/rest")).headers["location"].endswith("done=number-rests-no-more")
    assert (await root.send("/ui/caller-ids/1/remove")).status == 409, "it has numbers"
    for key in (1, 2):
        assert (await root.send(f"/ui/caller-ids/1/numbers/{key}/remove")).status == 303
    assert (await root.send("/ui/caller-ids/1/remove")).status == 303
    actions = [action for (action,) in api.sql("SELECT action FROM audit_entry ORDER BY id")]
    assert actions == [
        "caller-ids.new", "caller-ids.numbers", "caller-ids.numbers.settings", "caller-ids.numbers.rest",
        "caller-ids.numbers.rest", "caller-ids.numbers.remove", "caller-ids.numbers.remove", "caller-ids.remove",
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_of_pasted_numbers_all_are_added_or_none_and_each_that_is_wrong_is_named(api: World) -> None:
    root = await with_pool(api)
    assert await add(root, "+12125550100") == 303
    before = api.dump()
    reply = await root.send(
        "/ui/caller-ids/1/numbers", {"numbers": "+12125550101\nnonsense\n+12125550100\n112", "daily_cap": "7"}
    )
    assert reply.status == 400
    told = seen(reply)
    assert "2: &#39;nonsense&#39; is not a number" in told.replace("'", "&#39;")
    assert "3: +12125550100 stands in a pool already" in told
    assert "4: " in told
    assert ">+12125550101\nnonsense" in text_of(reply), "what was pasted is still there"
    assert 'value="7"' in text_of(reply)
    assert api.dump() == before
    reply = await root.send("/ui/caller-ids/1/numbers", {"numbers": "+12125550101", "daily_cap": "5", "warm_up_start": "9",
                                                         "warm_up_days": "3"})  # fmt: skip
    assert (reply.status, "expected at most the daily cap, 5" in seen(reply)) == (400, True)
    assert (await root.send("/ui/caller-ids/1/numbers", {"numbers": " \n "})).status == 400
    assert (await root.send("/ui/caller-ids/1/numbers", {"numbers": "+12125550101", "gateways": "99"})).status == 400
    assert (await root.send("/ui/caller-ids/1/numbers/1/rest", {"until": "tomorrow"})).status == 400
    assert (await root.send("/ui/caller-ids/1/numbers/1/rest", {"until": "2020-01-01 00:00:00"})).status == 400
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_pool_of_somebody_else_is_not_there(api: World) -> None:
    ann = await with_pool(api, "ann")
    assert await add(ann, "+12125550100") == 303
    bob = await signed_in(api, "bob")
    for path in ("/ui/caller-ids/1", "/ui/caller-ids/1/numbers/1"):
        assert (await bob.get(path)).status == 404
    for path in ("settings", "remove", "numbers", "numbers/1/rest", "numbers/1/remove"):
        form = {**POOL, "numbers": "+12125550109"}
        assert (await bob.send(f"/ui/caller-ids/1/{path}", form, on="/ui/caller-ids")).status in (400, 404)
    assert api.sql("SELECT count(*) FROM caller_id WHERE archived_at IS NULL") == [(1,)]
    assert "sales" not in seen(await bob.get("/ui/caller-ids"))
    await bob.send("/ui/caller-ids/new", POOL, on="/ui/caller-ids")
    assert (await bob.get("/ui/caller-ids/2/numbers/1")).status == 404, "nor through a pool of his own"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_what_came_of_the_calls_is_shown_by_number_and_day(api: World) -> None:
    root = await with_pool(api)
    assert await add(root, "+12125550100", daily_cap="50") == 303
    api.sql("UPDATE caller_id SET created_at = '2026-11-20 12:00:00.000000'")
    days = ((19, 1, 1, 1), (20, 10, 4, 6), (21, 20, 10, 3), (22, 10, 1, 0), (23, 4, 2, 1))
    for day, ended, answered, refused in days:
        api.sql(
            "INSERT INTO caller_id_count (caller_id_id, day, purged, calls, unsent, ended, answered, short, talk_ms, "
            "refused_403, refused_603, refused_607, refused_608) VALUES (1, ?, 1, ?, 0, ?, ?, 0, 0, 0, ?, 0, 9)",
            f"2026-11-{day}", ended, ended, answered, refused,
        )  # fmt: skip
    pool, number = await root.get("/ui/caller-ids/1"), await root.get("/ui/caller-ids/1/numbers/1")
    # Answered 40, 50, 10 and 50 of a hundred; the day before it was added is not its own.
    assert 'points="0.0,14.0 33.3,12.0 66.7,20.0 100.0,12.0"' in text_of(pool)
    assert "4 / 50" in seen(pool)
    rows = [" ".join(row.split()) for row in seen(number).split("2026-11-")[1:]]
    assert [row.split()[0] for row in rows[-4:]] == ["23", "22", "21", "20"]
    assert rows[-1].startswith("20 10 40 % 0 % 0 6 0 9")
    assert '"values":[10,20,10,4]' in text_of(number).replace("&#34;", '"')


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+1 212 555 0100", [{"number": "+1 212 555 0100"}]),
        (
            "1;A\n2\tB\r\n3, C, D",
            [{"number": "1", "name": "A"}, {"number": "2", "name": "B"}, {"number": "3", "name": "C, D"}],
        ),
        ("1;\n\n", [{"number": "1"}]),
    ],
)
def test_a_line_is_a_number_and_perhaps_a_name(text: str, found: list[dict[str, str]]) -> None:
    assert pasted_numbers(text) == found


def test_a_line_through_fewer_than_two_days_is_none() -> None:
    assert [sparkline(parts) for parts in ([], [0.5], [None, 0.5], [None, None])] == [""] * 4
    assert sparkline([1.0, None, 0.0]) == "0.0,2.0 100.0,22.0"


# --- rules ------------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_rules_are_listed_and_a_number_is_told_whether_it_may_be_called(api: World) -> None:
    api.management.rules = RuleBook(shipped_rows())
    ann = await signed_in(api, "ann")
    page = seen(await ann.get("/ui/rules"))
    assert "47 CFR 64.1200(c)(1)" in page
    assert "Florida" in page
    france = seen(await ann.get("/ui/rules?country=FR"))
    assert "Mon–Fri 10:00–13:00, 14:00–20:00; Sat no calls; Sun no calls; holidays no calls" in france
    assert "at most 4 attempts in 30 d" in france
    assert "Florida" not in france
    query = "number=%2B1+850+555+0100&at=2027-03-01T13:30:00Z"
    told = seen(await ann.get(f"/ui/rules?{query}"))
    assert "not now" in told
    assert "Opens on 2027-03-01 14:00:00 UTC." in told
    assert "America/Chicago Monday 07:30" in told
    assert "may be called by the hours there" in seen(await ann.get(f"/ui/rules?{query}&time_zone=America/New_York"))
    for wrong, field in (("number=abc", "Number"), ("number=%2B18505550100&at=noon", "Moment")):
        reply = await ann.get(f"/ui/rules?{wrong}")
        assert (reply.status, f"{field}: " in seen(reply)) == (400, True)


@pytest_twisted.ensureDeferred
async def test_a_campaign_shows_the_rules_that_narrow_its_hours(api: World) -> None:
    api.management.rules = RuleBook(shipped_rows())
    await api.campaign(user="root", daily_start_time="09:00:00", daily_stop_time="20:30:00", time_zone="Europe/Madrid")
    await api.contact("+18505550100", user="root")
    root = await signed_in(api)
    page = seen(await root.get("/ui/campaigns/1"))
    assert "Every day, 09:00–20:30, Europe/Madrid" in page
    assert "Its contacts are in Florida, by their numbers" in page
    assert "every day 08:00–20:00 · at most 3 attempts in 24 h" in " ".join(page.split())
    assert "Texas" not in page
    api.management.rules = RuleBook()
    assert "No calling rule narrows them" in seen(await root.get("/ui/campaigns/1"))
    await api.campaign("always", user="root")
    assert "Every day, 00:00–24:00, UTC" in seen(await root.get("/ui/campaigns/2"))


def test_every_shipped_row_can_be_said_in_words() -> None:
    for row in shipped_rows():
        assert bool(hours_in_words(row)) is row.limits_hours, row.name
        assert bool(limits_in_words(row)) is (row.counts or row.min_ring > 0), row.name
