"""For everybody: nothing serious for axe-core, nothing wider than 360 pixels, nothing that needs a mouse."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.browser.driving import AXE, Installation, window
from tests.integration.run_support import good

PATHS = (
    "/ui/", "/ui/campaigns", "/ui/campaigns/new", "/ui/campaigns/1", "/ui/contacts?number=%2B15550010000", "/ui/attempts",
    "/ui/do-not-call", "/ui/gateways", "/ui/gateways/1", "/ui/webhooks", "/ui/events", "/ui/tokens", "/ui/users",
    "/ui/users/1", "/ui/doctor?run=1", "/ui/audit", "/ui/rules?number=%2B18505550100", "/ui/caller-ids", "/ui/caller-ids/1",
    "/ui/caller-ids/1/numbers/1", "/ui/calls", "/ui/gateways/1/health", "/ui/switches", "/ui/voice-applications",
    "/ui/voice-applications/1",
)  # fmt: skip
NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="module", autouse=True)
def something(installation: Installation) -> None:
    """To look at."""
    installation.campaign("to look at", contacts=20)
    good(installation.folder, "callerpool", "add", "numbers", "--user", "admin")
    good(installation.folder, "callerid", "add", "+12125550100", "--pool", "numbers", "--daily-cap", "50")


def test_axe_is_as_it_was_published() -> None:
    listed = (AXE.parent / "hashes.txt").read_text().split()
    assert listed == [hashlib.sha256(AXE.read_bytes()).hexdigest(), AXE.name]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_a_barrier(installation: Installation, chromium: Any, scheme: str) -> None:
    with window(chromium, installation, color_scheme=scheme) as at:
        at.go("/ui/sign-in")
        found = at.violations()
        at.sign_in()
        for path in PATHS:
            at.go(path)
            found += at.violations()
        assert found == []


def test_every_page_fits_on_a_telephone(installation: Installation, chromium: Any) -> None:
    with window(chromium, installation, viewport=NARROW) as at:
        at.sign_in()
        for path in PATHS:
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
        page.keyboard.type("admin")
        page.keyboard.press("Tab")
        page.keyboard.type("correct horse")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Campaigns").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pause by keys":
                break
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Start by keys").wait_for()
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Start by keys", "the focus stays"
