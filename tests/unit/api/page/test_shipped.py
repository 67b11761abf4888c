"""What is shipped with the page: libraries as they were published, texts in one table, templates that escape."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest

from api.page.forms import controls
from api.page.rendering import Renderer
from api.page.routes import PageRoute
from api.page.static_files import files
from api.page.texts import TEXTS
from api.page.views import (
    all_routes,
    caller_ids,
    calls,
    campaigns,
    do_not_call,
    gateways,
    voice_applications,
    webhooks,
)
from api.page.views import users as user_forms
from api.page.views.attempts import STEPS
from dialer.management import call_records
from dialer.management.gateways import STANDINGS
from dialer.management.installation import Standing
from dialer.model import (
    CallerId,
    CallerIdPool,
    Campaign,
    CampaignStatus,
    Contact,
    DeliveryStatus,
    DoNotCallEntry,
    DoNotCallList,
    Gateway,
    SubscriberStatus,
    Token,
    User,
    VoipApp,
    Webhook,
)
from dialer.model.event import EventKind
from dialer.model.flow import AttemptState, Disposition
from dialer.model.role import Role
from dialer.model.single_call import SingleCallState
from dialer.rules.book import shipped_rows
from dialer.rules.decide import Permission

PAGE = Path(str(resources.files("api.page")))
TEMPLATES = sorted((PAGE / "templates").iterdir())
VENDOR = PAGE / "static" / "vendor"


def test_libraries_are_as_they_were_published() -> None:
    listed = dict(reversed(line.split("  ", 1)) for line in (VENDOR / "hashes.txt").read_text().splitlines())
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    assert {name: each for name, each in there.items() if name not in ("README.md", "hashes.txt")} == listed
    assert {name for name in listed if name.endswith("LICENSE.txt")} == {"htmx.LICENSE.txt", "uPlot.LICENSE.txt"}


def test_templates_compile_before_they_are_shown() -> None:
    renderer = Renderer.new()
    renderer.compile()
    compiled = {name for _, name in renderer.environment.cache or ()}
    assert {path.name for path in TEMPLATES if path.suffix == ".html"} <= compiled


def test_a_text_in_a_template_is_escaped_and_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS, "nothing", "<b>a & b</b> of {count}")
    renderer = Renderer.new()
    shown = renderer.environment.from_string("{{ t('nothing') }} {{ t('nothing', count=3) }}").render()
    assert shown == "&lt;b&gt;a &amp; b&lt;/b&gt; of {count} &lt;b&gt;a &amp; b&lt;/b&gt; of 3"
    assert [key for key, text in TEXTS.items() if re.search(r"\{[{%#]", text)] == [], "a template would take it for its own"


def test_scripts_and_styles_name_nothing_elsewhere() -> None:
    for name, file in files().items():
        for address in re.findall(rb"""(?:src|href|url|import|fetch)\W{1,3}(https?://[^"')]+)""", file.content):
            raise AssertionError((name, address))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_no_scripts_and_no_styles_of_its_own(path: Path) -> None:
    source = path.read_text()
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", source, flags=re.DOTALL)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals", bare), (
        "not under our policy"
    )
    if path.suffix == ".html":
        words = re.findall(r">([^<]*[a-z]{3,}[^<]*)<", bare)
        assert not [word for word in words if "=" not in word], "texts belong into the table"


def test_only_what_templates_have_made_is_not_escaped() -> None:
    marked = {path.name: re.findall(r"\{\{([^}]*)\|\s*safe", path.read_text()) for path in TEMPLATES}
    allowed = {"live", "row", "parts['summary']", "parts['gateways']", "parts['nodes']", "parts['events']"}
    assert {each.strip() for found in marked.values() for each in found} == allowed


def test_texts_that_templates_name_are_in_the_table_and_no_others_are() -> None:
    sources = [path.read_text() for path in TEMPLATES] + [path.read_text() for path in PAGE.rglob("*.py")]
    quoted = {each for source in sources for each in re.findall(r"""["']([a-z_-]+(?:\.[\w-]+)*\.?)["']""", source)}
    named = {each for source in sources for each in re.findall(r"""\bt\(["']([^"'~]+)["'][,)]""", source)}
    assert named <= set(TEXTS)
    families = {each for each in quoted if each.endswith((".", "-"))} | {"event.", "field.", "hint.", "word.", "day.", "done."}
    unused = [key for key in TEXTS if key not in quoted and not any(key.startswith(family) for family in families)]
    assert unused == []


def test_every_word_of_the_dialer_has_a_text() -> None:
    wanted = [
        *(f"status.{each.name.lower()}" for each in CampaignStatus),
        *(f"state.{each.name.lower().replace('_', '-')}" for each in SubscriberStatus),
        *(f"disposition.{each}" for each in Disposition),
        *(f"attempt-state.{each}" for each in AttemptState),
        *(f"delivery.{each}" for each in DeliveryStatus),
        *(f"role.{each}" for each in Role),
        *(f"call-state.{each}" for each in SingleCallState),
        *(f"standing.{each}" for each in STANDINGS),
        *(f"node.{each.replace(' ', '-')}" for each in Standing),
        *(f"permission.{each}" for each in Permission),
        *(f"confidence.{row.confidence}" for row in shipped_rows()),
        *(f"event.{each.replace('_', '-')}" for each in EventKind),
    ]
    assert [key for key in wanted if key not in TEXTS] == []


def test_every_entry_of_a_form_and_every_fact_of_a_call_has_a_text() -> None:
    forms = (
        (Campaign, campaigns.FIELDS), (User, user_forms.FIELDS), (Token, user_forms.TOKEN_FIELDS), (Gateway, gateways.FIELDS),
        (VoipApp, voice_applications.FIELDS), (CallerIdPool, caller_ids.POOL_FIELDS), (CallerId, caller_ids.FIELDS),
        (Contact, calls.OF_CONTACT), (Campaign, calls.OF_CAMPAIGN), (Webhook, webhooks.FIELDS),
        (DoNotCallList, do_not_call.NEW), (DoNotCallEntry, do_not_call.ENTRY),
    )  # fmt: skip
    rows = [row for cls, names in forms for row in controls(cls, names, {}, {})]
    wanted = {f"field.{row.name}" for row in rows} | {
        f"{'day' if row.shape == 'week' else 'word'}.{word}" for row in rows for word, _ in row.options
    }
    wanted |= {f"fact.{name}" for name in call_records.NAMES if name not in ("session", *STEPS)}
    assert sorted(wanted - set(TEXTS)) == []


def test_every_change_is_a_post_for_those_who_may_change() -> None:
    routes = all_routes()
    assert len({(route.method, route.path) for route in routes}) == len(routes)
    own = {"sign-out", "sign-out-everywhere"}

    def reads_only(route: PageRoute) -> bool:
        return route.scope == "read"

    assert {route.path for route in routes if route.method == "POST" and reads_only(route)} == own


def test_a_form_says_what_is_wrong_at_the_field() -> None:
    (control,) = controls(Campaign, ("frequency",), {"frequency": "<b>"}, {"frequency": "expected <i>"})
    html = str(Renderer.new().macro("forms.html", "control")(control, "campaign"))
    assert 'value="&lt;b&gt;"' in html
    assert "expected &lt;i&gt;" in html
    assert 'aria-invalid="true"' in html
