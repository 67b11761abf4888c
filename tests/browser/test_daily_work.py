"""The daily work in a real browser: an admin does it, a viewer looks."""

from __future__ import annotations

import re
from typing import Any

from tests.browser.driving import Installation, Window, window


def row_of(at: Window, name: str) -> Any:
    """A campaign on the overview."""
    return at.page.locator("article", has=at.page.get_by_role("heading", name=name, exact=True))


def reloaded(at: Window, wanted: Any) -> None:
    """Load a page that is not live again until it has something, which depends on calls that end when they end."""
    for _ in range(60):
        if wanted.count():
            return
        at.page.wait_for_timeout(500)
        at.page.reload()
    raise AssertionError(at.page.inner_text("main"))


def test_an_admin_does_the_whole_daily_work(installation: Installation, chromium: Any, receiver: str) -> None:
    with window(chromium, installation) as at:
        page = at.page
        at.sign_in()

        # A campaign is made, by a form that says what is wrong as it is typed.
        page.get_by_role("link", name="Campaigns", exact=True).click()
        page.get_by_role("link", name="New campaign").click()
        page.get_by_label("Name *").fill("autumn")
        page.get_by_label("Its data").fill("2000")
        pace = page.get_by_label("Calls per minute")
        at.awaited = ("status of 400",)
        pace.fill("0")
        page.get_by_text("expected a whole number from 1 to 1000000").wait_for()
        pace.fill("120")
        page.get_by_text("expected a whole number from 1 to 1000000").wait_for(state="detached")
        page.get_by_role("button", name="Create and start").click()
        page.get_by_text("The campaign is created.").wait_for()
        campaign = int(page.url.split("?")[0].rpartition("/")[2])

        # A webhook is told of it.
        page.get_by_role("link", name="Webhooks").click()
        page.get_by_text("Add a webhook").first.click()
        page.get_by_label("Address *").fill(receiver)
        page.get_by_label("Events *").fill("attempt.ended")
        page.get_by_role("button", name="Add a webhook").click()
        page.locator("code.secret", has_text="whsec_").wait_for()
        page.get_by_role("link", name="I have kept it").click()

        # It is watched live.
        installation.add(campaign, 200)
        page.get_by_role("link", name="Overview").click()
        row = row_of(at, "autumn")
        row.get_by_text("calling").wait_for()
        row.get_by_text(re.compile(r"[1-9]\d* of 200 contacts done")).wait_for()

        # The frequency is changed, and acts; what is being typed is left alone meanwhile.
        frequency = row.get_by_label("Calls per minute of autumn")
        frequency.fill("900")
        row.get_by_text("/ 2.0").wait_for()
        page.wait_for_timeout(1500)
        assert frequency.input_value() == "900"
        row.get_by_role("button", name="Set the frequency of autumn").click()
        page.get_by_text("The frequency acts from now on.").wait_for()
        row.get_by_text("/ 15.0").wait_for()

        # It is paused, and says so.
        row.get_by_role("button", name="Pause autumn").click()
        page.get_by_text("The campaign is paused; live calls go on.").wait_for()
        row.get_by_role("button", name="Start autumn").wait_for()

        # A contact is found in another spelling, with its call, and is not called any more.
        page.get_by_role("link", name="Contacts", exact=True).click()
        number = page.get_by_label("A number, in any spelling")
        number.fill(f"+1 (555) {campaign:03}-0000")
        number.press("Enter")
        page.get_by_text("may be called").wait_for()
        reloaded(at, page.get_by_role("link", name=re.compile(r"^20\d\d-")))
        page.get_by_role("link", name=re.compile(r"^20\d\d-")).first.click()
        page.get_by_role("heading", name="Course").wait_for()
        reloaded(at, page.locator(".course .name", has_text="decided"))
        for step in ("planned", "ended", "decided"):
            page.locator(".course .name", has_text=step).wait_for()
        page.get_by_role("link", name="All that is known of the number").click()
        page.get_by_label("Reason").fill("asked for it")
        page.get_by_role("button", name="Do not call").click()
        page.get_by_text("The number is not called any more.").wait_for()

        # A delivery is sent again.
        page.get_by_role("link", name="Webhooks").click()
        page.get_by_role("link", name=receiver).click()
        page.get_by_role("heading", name="Deliveries").wait_for()
        reloaded(at, page.locator("table .badge", has_text="delivered"))
        page.get_by_role("button", name="Send again").first.click()
        page.get_by_text("The events are sent again, soon.").wait_for()

        # All of it is in the audit log.
        page.get_by_role("link", name="Audit log").click()
        for deed in ("campaigns.new", "webhooks.add", "campaigns.frequency", "campaigns.pause", "do-not-call.add",
                     "webhooks.deliveries.replay"):  # fmt: skip
            page.get_by_text(deed).first.wait_for()


ROWS = "Telephone;Name;Plan\n"
ROWS += "".join(f"+1 555 666 {index:04};Contact {index};gold\n" for index in range(30)) + "nobody;Bob;gold\n112;Cy;tin\n"


def test_an_admin_imports_corrects_previews_starts_watches_and_exports(installation: Installation, chromium: Any) -> None:
    campaign = installation.campaign("from a file")
    assert installation.running.request("PUT", f"campaign/{campaign}/", "status=2")[0] == 200
    with window(chromium, installation) as at:
        page = at.page
        at.sign_in()

        # A file is sent from the campaign, and tried: nothing is written.
        at.go(f"/ui/campaigns/{campaign}")
        page.get_by_role("link", name="Import into from a file").click()
        at.send_file(page.url.removeprefix(at.address), "clients of may.csv", ROWS.encode())
        assert page.get_by_label("What Telephone is").input_value() == "contact"
        page.get_by_label("What Name is").select_option("first name")
        page.get_by_role("button", name="Try it, and write nothing").click()
        page.get_by_text("This is what would be done: nothing is written yet.").wait_for()
        page.locator("#import").get_by_text("waits to be started").wait_for()
        page.locator("#import dl").get_by_text("30", exact=True).wait_for()

        # It is taken, live; the rows that were not taken come as a file, are corrected, and sent again.
        page.get_by_role("button", name="Take the file").click()
        page.get_by_text("finished", exact=True).wait_for()
        page.reload()
        page.get_by_role("cell", name="line 32: contact:").wait_for()
        with page.expect_download() as coming:
            page.get_by_role("link", name="Rows that were not taken, as a file").click()
        assert coming.value.suggested_filename.endswith("-errors.csv")
        errors = coming.value.path().read_text()
        assert errors.splitlines()[0] == 'Telephone;Name;Plan;"error"'
        page.get_by_role("link", name="Correct and send again").click()
        corrected = errors.replace("nobody;", "+15556669999;").encode()
        at.send_file(page.url.removeprefix(at.address), "corrected.csv", corrected)
        assert page.get_by_label("What Name is").input_value() == "first_name"
        page.get_by_role("button", name="Take the file").click()
        page.get_by_text("finished", exact=True).wait_for()
        page.get_by_role("link", name="Imports", exact=True).click()
        page.get_by_role("row", name=re.compile("corrected.csv.*finished")).wait_for()

        # It is seen who would be called, then they are.
        at.go(f"/ui/campaigns/{campaign}")
        page.get_by_role("link", name="Preview").click()
        page.get_by_role("heading", name="called · 31").wait_for()
        page.get_by_role("link", name="next day").click()
        page.get_by_role("heading", name="never · 0").wait_for()
        page.get_by_role("button", name="Start from a file").click()
        page.get_by_text(re.compile(r"[1-9]\d* of 31 contacts done")).wait_for()

        # What came of it is exported.
        page.reload()
        with page.expect_download() as coming:
            page.get_by_role("link", name="Export CSV").click()
        head, *rows = coming.value.path().read_text().splitlines()
        assert head.startswith("id,attempt_id,campaign_id,")
        assert rows
        with page.expect_download() as coming:
            page.get_by_role("link", name="Export contacts of from a file").click()
        assert len(coming.value.path().read_text().splitlines()) == 32


def test_numbers_go_onto_a_list_without_scripts_and_by_keys(installation: Installation, chromium: Any) -> None:
    with window(chromium, installation, java_script_enabled=False) as at:
        page = at.page
        at.sign_in()
        at.go("/ui/do-not-call/1")
        page.get_by_role("link", name="Import a file").press("Enter")
        page.get_by_label("File", exact=True).set_input_files(
            {"name": "letters.csv", "mimeType": "text/csv", "buffer": b"number,why\n+1 555 444 0001,asked for it\n"}
        )
        page.get_by_role("button", name="Send the file").press("Enter")
        page.get_by_text("The file is here.").wait_for()
        page.get_by_label("What why is").press_sequentially("reason")
        page.get_by_role("button", name="Take the file").press("Enter")
        page.get_by_text("The file is being taken.").wait_for()
        reloaded(at, page.get_by_text("finished", exact=True))
        at.go("/ui/do-not-call/1?number=1-555-4440001")
        row = page.get_by_role("row", name=re.compile("asked for it"))
        row.get_by_role("button", name="Permit again").click()
        page.get_by_text("The number may be called again.").wait_for()
        at.go("/ui/do-not-call/1/history?number=1-555-4440001")
        assert page.get_by_role("row", name=re.compile(r"letters.csv")).count() == 1


def test_a_viewer_looks_and_changes_nothing(installation: Installation, chromium: Any) -> None:
    installation.campaign("winter")
    with window(chromium, installation) as admin:
        page = admin.page
        admin.sign_in()
        page.get_by_role("link", name="Users").click()
        page.get_by_role("link", name="New user").click()
        page.get_by_label("User name *").fill("vera")
        page.get_by_label("Role").select_option("viewer")
        page.get_by_label("Sees everybody's objects").check()
        page.get_by_label("Password").fill("looks at all of it")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("The user is created.").wait_for()
    with window(chromium, installation) as vera:
        page = vera.page
        vera.sign_in("vera", "looks at all of it")
        row = row_of(vera, "winter")
        row.wait_for()
        assert row.get_by_role("button").count() == 0
        assert page.get_by_role("link", name="Users").count() == 0
        row.get_by_role("link", name="winter").click()
        page.get_by_role("heading", name="winter").first.wait_for()
        vera.awaited = ("status of 403",)
        csrf = page.locator("[name=csrf]").first.get_attribute("value")
        statuses = page.evaluate(
            """async (csrf) => Promise.all(["campaigns/1/pause", "do-not-call/add", "users/new"].map(async (path) =>
                (await fetch(`/ui/${path}`, {method: "POST", body: new URLSearchParams({csrf})})).status))""",
            csrf,
        )
        assert statuses == [403, 403, 403]
        vera.go("/ui/users")
        page.get_by_text("Your role does not allow that.").wait_for()


def test_a_page_that_is_hidden_asks_for_nothing_and_goes_on_when_it_is_seen(installation: Installation, chromium: Any) -> None:
    with window(chromium, installation) as at:
        at.sign_in()
        at.go("/ui/tokens")  # what the overview asks for is asked for once more below
        asked: list[str] = []
        ended: list[str] = []
        live = f"{at.address}/ui/live/overview"
        at.page.on("request", lambda request: asked.append(request.url))
        for event in ("requestfinished", "requestfailed"):
            at.page.on(event, lambda request: ended.append(request.url))
        with at.page.expect_request(live):
            at.go()
        before = ended.count(live)
        assert asked.count(live) == 1
        show = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        show += " document.dispatchEvent(new Event('visibilitychange')); }"
        at.page.evaluate(show, True)
        for _ in range(200):
            if ended.count(live) > before:
                break
            at.page.wait_for_timeout(100)
        at.page.wait_for_timeout(1500)
        assert (asked.count(live), ended.count(live)) == (1, before + 1)
        at.page.evaluate(show, False)
        name = "seen again"
        installation.campaign(name)
        row_of(at, name).wait_for()


def test_what_is_read_needs_no_script(installation: Installation, chromium: Any) -> None:
    installation.campaign("plain")
    with window(chromium, installation, java_script_enabled=False) as at:
        at.sign_in()
        row_of(at, "plain").get_by_role("button", name="Pause plain").click()
        at.page.get_by_text("The campaign is paused; live calls go on.").wait_for()
        row_of(at, "plain").get_by_role("link").click()
        at.page.get_by_text("Settings").click()
        assert at.page.get_by_label("Name *").input_value() == "plain"


def test_hostile_names_run_nowhere(installation: Installation, chromium: Any) -> None:
    name = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><b hx-on:load=alert(3) hx-trigger=load hx-get=/x>"
    campaign = installation.campaign(name, contacts=1)
    with window(chromium, installation) as at:
        at.sign_in()
        cell = '"' + name.replace('"', '""') + '"'
        text = f"contact,{cell}\nx,{cell}\n"
        at.send_file(f"/ui/imports/new?phonebook={campaign}", name.replace('"', "'"), text.encode())
        at.page.get_by_role("button", name="Try it, and write nothing").click()
        at.page.get_by_text("This is what would be done").wait_for()
        sent = at.page.url.removeprefix(at.address).partition("?")[0]
        live = ("/ui/", f"/ui/campaigns/{campaign}", "/ui/events", "/ui/imports", sent)
        for path in (*live, "/ui/campaigns", "/ui/attempts", f"/ui/campaigns/{campaign}/preview"):
            at.go(path)
            at.page.wait_for_timeout(1300 if path in live else 100)
            assert at.page.locator("img, b[hx-get]").count() == 0
        at.go()
        row_of(at, name).wait_for()


def test_numbers_are_pasted_and_a_call_is_made_and_looked_at(installation: Installation, chromium: Any) -> None:
    with window(chromium, installation) as at:
        page = at.page
        at.sign_in()
        page.get_by_role("link", name="Caller ids").click()
        page.get_by_text("New pool").click()
        page.get_by_label("Name *").fill("pasted")
        page.get_by_role("button", name="Make the pool").click()
        at.awaited = ("status of 400",)
        page.get_by_label("Numbers, one on each line").fill("+1 (212) 555-0190; Support\nnonsense")
        page.get_by_role("button", name="Add numbers").click()
        page.get_by_text("2: 'nonsense' is not a number").wait_for()
        page.get_by_label("Numbers, one on each line").fill("+1 (212) 555-0190; Support\n+1 212 555 0191")
        page.get_by_role("button", name="Add numbers").click()
        page.get_by_text("The numbers are added.").wait_for()
        page.get_by_role("link", name="+12125550190").click()
        page.get_by_label("Until (UTC)").fill("2999-01-01")
        page.get_by_role("button", name="Let it rest").click()
        page.get_by_text("it rests until 2999-01-01").wait_for()

        page.get_by_role("link", name="Calls", exact=True).click()
        page.get_by_label("Number *").fill("+15550999001")
        page.get_by_label("Its data").fill("2000")
        page.get_by_role("button", name="Call", exact=True).click()
        page.get_by_text("The call is asked for.").wait_for()
        reloaded(at, page.get_by_role("row", name="+15550999001").get_by_role("link", name=re.compile(r"^20\d\d-")))

        campaign = installation.campaign("drawn", contacts=5)
        at.go(f"/ui/campaigns/{campaign}")
        reloaded(at, page.locator(".chart canvas").nth(1))
        page.get_by_role("heading", name="By hour of the day").wait_for()


def test_a_switch_is_drained_and_taken_back(installation: Installation, chromium: Any) -> None:
    with window(chromium, installation) as at:
        page = at.page
        at.sign_in()
        page.get_by_role("link", name="Switches").click()
        page.get_by_role("button", name="Drain").click()
        page.get_by_text("No dialer begins calls on the switch any more").wait_for()
        page.locator(".badge", has_text="drained").wait_for()
        campaign = installation.campaign("kept waiting", contacts=1)
        at.go(f"/ui/campaigns/{campaign}")
        page.get_by_text("no calls are begun on it until it is taken back").first.wait_for()
        at.go("/ui/switches")
        page.get_by_role("button", name="Take back").click()
        page.get_by_role("button", name="Drain").wait_for()


def test_a_link_signs_in_once(installation: Installation, chromium: Any) -> None:
    link = installation.link()
    with window(chromium, installation) as at:
        at.page.goto(link)
        at.page.get_by_role("heading", name="Campaigns").wait_for()
    with window(chromium, installation) as again:
        again.awaited = ("status of 410",)
        again.page.goto(link)
        again.page.get_by_text("This link was used already").wait_for()
