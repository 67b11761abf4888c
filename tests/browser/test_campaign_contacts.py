"""What a campaign calls, calls again, and its end: by keys, with and without scripts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.driving import Installation, window


def press(page: Any, role: str, name: str) -> None:
    """As somebody does who has no mouse."""
    page.get_by_role(role, name=name, exact=True).focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_campaign_gets_a_phonebook_calls_again_and_is_removed(
    installation: Installation, chromium: Any, scripts: bool
) -> None:
    campaign, other = (f"{word} {'with' if scripts else 'without'} scripts" for word in ("gone", "lends"))
    key = installation.campaign(campaign)
    installation.campaign(other, contacts=3)
    with window(chromium, installation, java_script_enabled=scripts) as at:
        page = at.page
        at.sign_in()
        page.locator("#events").get_by_text("campaign created").first.wait_for()  # though nobody had a page open then
        at.go(f"/ui/campaigns/{key}")
        page.get_by_label("Another phonebook").select_option(label=other)
        press(page, "button", "Call its contacts, too")
        page.get_by_text("The campaign calls the contacts of the phonebook, too.").wait_for()
        page.get_by_text("of 3 contacts done").wait_for()
        press(page, "link", "Call again")
        page.get_by_label("completed").check()
        press(page, "button", "Count them first")
        page.get_by_text("of 3 contacts would be called again").wait_for()
        assert page.get_by_label("completed").is_checked()
        press(page, "link", campaign)
        press(page, "link", f"Call no more: {other}")
        press(page, "button", "Call no more")
        page.get_by_text("The campaign calls the contacts of the phonebook no more.").wait_for()
        press(page, "link", "Remove this campaign")
        page.get_by_role("heading", name=f"Remove {campaign}?").wait_for()
        press(page, "button", "Remove this campaign")
        page.get_by_text("The campaign is removed").wait_for()
        assert page.get_by_role("link", name=campaign).count() == 0


def test_the_numbers_of_a_user_are_changed(installation: Installation, chromium: Any) -> None:
    with window(chromium, installation) as at:
        page = at.page
        at.sign_in()
        at.go("/ui/users/1")
        page.get_by_label("Blacklist").fill("+4990\nnonsense")
        at.awaited = ("status of 400",)
        numbers = page.get_by_role("form", name="Numbers that this user may call")
        numbers.get_by_role("button", name="Save").click()
        page.get_by_text("'nonsense' is not a pattern").wait_for()
        page.get_by_label("Blacklist").fill("+4990")
        numbers.get_by_role("button", name="Save").click()
        page.get_by_text("The user is changed.").wait_for()
        assert page.get_by_label("Blacklist").input_value() == "4990"
