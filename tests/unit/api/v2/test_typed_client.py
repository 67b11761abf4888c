"""The types of the client: they are those of the OpenAPI document, and type checkers see them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from mypy import api as mypy

import dialer
from tests.unit.api.v2.support import DOCUMENT

ROOT = Path(__file__).resolve().parents[4]
CLIENT = ROOT / "dialer" / "client"

PROGRAM = """
from twisted.internet.defer import Deferred
from dialer.client import AsyncClient, Client
from dialer.client.objects import CampaignObject, NewContactObject

def begin(client: Client, book: int) -> str:
    campaign = client.campaigns.create(name="autumn", gateway_id=1, voip_app_id=1, weekdays=["monday"], draft=True)
    contacts: list[NewContactObject] = [{"number": "+15551230001", "reference": "A-1"}]
    added: int = client.contacts.create_many(book, contacts=contacts)["taken"]
    names: list[str] = [each["name"] for each in client.campaigns.list(status="start", draft=False)]
    report: bytes = client.campaigns.report(campaign["id"])
    client.campaigns.change(campaign["id"], max_concurrent=None, tag='"1"')
    return campaign["name"]

async def later(client: AsyncClient) -> None:
    asked: Deferred[CampaignObject] = client.campaigns.get(1)
    print((await asked)["frequency"] + 1)
    async for each in client.contacts.search(number="1"):
        print(each["number"].upper())
"""
MISTAKES = {
    'campaign["name"]': 'campaign["nmae"]',
    'each["number"].upper()': 'each["nmuber"]',
    "draft=True": "darft=True",
    '["monday"]': '["moonday"]',
    "draft=False": 'draft="perhaps"',
    '"reference": "A-1"': '"refrence": "A-1"',
    "max_concurrent=None": 'max_concurrent="many"',
    '["frequency"] + 1': '["frequency"].upper()',
    "client.campaigns.get(1)": "client.campaigns.fetch(1)",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a checker has found out about the libraries is found out once."""
    return tmp_path_factory.mktemp("mypy")


def checked(program: str, cache: Path) -> set[str]:
    """The lines in which a strict checker finds an error."""
    path = cache / "program.py"
    path.write_text(program)
    options = ["--strict", "--config-file=", f"--cache-dir={cache / 'cache'}", "--no-error-summary"]
    out, errors, _ = mypy.run([*options, "--follow-imports=silent", "--hide-error-context", str(path)])
    assert not errors
    return {line.split(":")[1] for line in out.splitlines() if ": error: " in line}


def test_a_program_and_its_mistakes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPYPATH", str(Path(dialer.__file__).parents[1]))
    assert checked(PROGRAM, cache) == set()
    for right, wrong in MISTAKES.items():
        assert PROGRAM.count(right) == 1, right
        assert len(checked(PROGRAM.replace(right, wrong), cache)) == 1, wrong


def test_the_code_is_what_the_document_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "docs"), *sys.path])
    made = importlib.import_module("client_code").files(DOCUMENT)
    for name, code in made.items():
        assert (CLIENT / name).read_text(encoding="utf-8") == code, f"{name}; run: python docs/write.py"
    written = {
        str(path.relative_to(CLIENT))
        for package in ("objects", "resources", "async_resources")
        for path in (CLIENT / package).glob("*.py")
    }
    assert written | {"api.py"} == set(made)


def test_checkers_may_look() -> None:
    assert (ROOT / "dialer" / "py.typed").exists()
