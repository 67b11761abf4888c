"""For everybody: nothing serious for axe-core, nothing wider than 360 pixels, nothing that needs a mouse."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.browser.driving import AXE, Installation, window
from tests.integration.run_support import good

PATHS = (
    "/ui/", "/ui/campaigns", "/ui/campaigns/new", "/ui/campaigns/{campaign}", "/ui/contacts?number=%2B15550010000",
    "/ui/attempts", "/ui/campaigns/{campaign}/redial", "/ui/campaigns/{campaign}/remove",
    "/ui/campaigns/{campaign}/phonebooks/{campaign}/detach",
    "/ui/imports", "/ui/imports/new", "/ui/campaigns/{campaign}/preview/contacts", "/ui/do-not-call", "/ui/do-not-call/1",
    "/ui/do-not-call/1/history", "/ui/gateways", "/ui/gateways/1", "/ui/webhooks", "/ui/events", "/ui/tokens", "/ui/users",
    "/ui/users/1", "/ui/doctor", "/ui/audit", "/ui/rules?number=%2B18505550100", "/ui/caller-ids", "/ui/caller-ids/1",
    "/ui/caller-ids/1/numbers/1", "/ui/calls", "/ui/gateways/1/health", "/ui/switches", "/ui/voice-applications",
    "/ui/voice-applications/1",
)  # fmt: skip
"""Of a campaign, whose phonebook has the same id."""
NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="module", autouse=True)
def paths(installation: Installation, chromium: Any) -> tuple[str, ...]:
    """What is looked at, also two imports: one that has ended with errors, and one that waits to be started."""
    campaign = installation.campaign("to look at", contacts=20)
    good(installation.folder, "callerpool", "add", "numbers", "--user", "admin")
    good(installation.folder, "callerid", "add", "+12125550100", "--pool", "numbers", "--daily-cap", "50")
    text = b"contact,first_name,an_unusually_long_name_of_a_column\n+15557770001,Ana,x\nno number,Bob," + b"y" * 60 + b"\n"
    found = []
    with window(chromium, installation) as at:
        at.sign_in()
        for start in (True, False):
            at.send_file(f"/ui/imports/new?phonebook={campaign}", "list.csv", text)
            found.append(at.page.url.removeprefix(at.address).partition("?")[0])
            if start:
                at.page.get_by_role("button", name="Take the file").click()
                at.page.get_by_text("finished", exact=True).wait_for()
    return (*(path.format(campaign=campaign) for path in PATHS), *found, f"/ui/campaigns/{campaign}/preview?horizon=1d")


def test_axe_is_as_it_was_published() -> None:
    listed = (AXE.parent / "hashes.txt").read_text().split()
    assert listed == [hashlib.sha256(AXE.read_bytes()).hexdigest(), AXE.name]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_a_barrier(installation: Installation, chromium: Any, paths: tuple[str, ...], scheme: str) -> None:
    with window(chromium, installation, color_scheme=scheme) as at:
        at.go("/ui/sign-in")
        found = at.violations()
        at.sign_in()
        for path in paths:
            at.go(path)
            found += at.violations()
        assert found == []


def test_every_page_fits_on_a_telephone(installation: Installation, chromium: Any, paths: tuple[str, ...]) -> None:
    with window(chromium, installation, viewport=NARROW) as at:
        at.sign_in()
        for path in paths:
            at.go(path)
            assert at.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path
        at.page.get_by_text("Menu").click()
        at.page.get_by_role("link", name="Gateways").click()
        at.page.get_by_role("heading", name="Gateways").wait_for()


def test_the_keyboard_is_enough(installation: Installation, chromium: Any) -> None:
    installation.campaign("by keys")
    with window(chromium, installation) as at:
        page = at.page
        at.go()
        page.locator("[name=username]:focus").wait_for()  # a page is drawn before it gives the focus
        page.keyboard.type("admin")
        page.keyboard.press("Tab")
        page.keyboard.type("correct horse")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Campaigns").wait_for()
        page.keyboard.press("Tab")
        page.locator(".skip:focus").wait_for()
        page.keyboard.press("Enter")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pause by keys":
                break
        page.keyboard.press("Enter")
        page.locator("[aria-label='Start by keys']:focus").wait_for()  # the focus stays
