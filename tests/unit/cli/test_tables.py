"""Tables fit the terminal, and no number is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.cli.tables import BETWEEN, Column, fit
from tests.unit.cli.support import Commands

UUID = "2f1d9e4c-6c5b-4b6e-9a53-0f6f3b0f1d11"
LONG = "sofia/gateway/a-carrier-with-a-long-name/{number}"


def widths(columns: list[Column], width: int) -> dict[str, int]:
    return {column.name: given for column, given in fit(columns, width).shown}


def test_with_room_nothing_is_folded() -> None:
    assert widths([Column("id", ["1"]), Column("dial string", [LONG])], 80) == {"id": 2, "dial string": len(LONG)}


def test_a_text_is_folded_before_a_column_is_left_out() -> None:
    fitted = fit([Column("id", ["1"]), Column("dial string", [LONG]), Column("maximum call", ["100"])], 40)
    assert fitted.left_out == []
    assert sum(width for _, width in fitted.shown) + 2 * BETWEEN == 40


def test_a_name_is_whole_before_a_description_is() -> None:
    columns = [Column("name", ["Default_Gateway"]), Column("description", ["words " * 20]), Column("dial string", [LONG])]
    assert widths(columns, 60)["name"] == len("Default_Gateway")


@pytest.mark.parametrize("exact", ["+155512300011234", UUID, "2026-11-23", "1234567890123456"])
def test_a_number_a_moment_and_an_id_are_not_cut(exact: str) -> None:
    columns = [Column("name", ["x" * 100]), Column("it", [exact]), Column("description", ["words " * 20])]
    assert widths(columns, 60)["it"] >= len(exact)


def test_the_last_columns_are_left_out_by_name() -> None:
    columns = [Column("id", ["1"]), Column("call", [UUID]), Column("description", ["words " * 20])]
    fitted = fit(columns, 45)
    assert [column.name for column, _ in fitted.shown] == ["id", "call"]
    assert fitted.left_out == ["description"]


CELLS = st.sampled_from(["", "-", "yes", LONG, UUID, "+15551230001", "a few words of a text", "日本語" * 5])


@given(st.lists(st.tuples(st.sampled_from(["id", "max number subscriber campaign", "data"]), CELLS), min_size=1, max_size=12))
def test_any_table_fits_eighty_columns(found: list[tuple[str, str]]) -> None:
    fitted = fit([Column(name, [cell]) for name, cell in found], 80)
    assert len(fitted.shown) + len(fitted.left_out) == len(found)
    assert sum(width + BETWEEN for _, width in fitted.shown) - BETWEEN <= 80
    assert all(width >= column.least for column, width in fitted.shown)


@pytest.mark.parametrize("noun", ["user", "gateway", "voipapp", "campaign"])
def test_in_a_terminal_of_eighty_columns_no_line_is_longer(
    noun: str, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.good(
        "user", "add", "ann", "--generate-password", "--max-frequency", 100, "--blacklist", "0900,0901,=112,44123456"
    )
    commands.good(
        "gateway", "add", "the-gateway", "--dial-string", LONG, "--maximum-call", 1000, "--description", "long words " * 9
    )
    commands.good("voipapp", "add", "the-app", "--type", "dial", "--gateway", "the-gateway", "--data", "15551230001")
    commands.good(
        *("campaign", "add", "the-campaign", "--user", "ann", "--gateway", "the-gateway", "--voip-app", "the-app"),
        *("--time-zone", "America/Argentina/Buenos_Aires", "--max-concurrent", 99999),
    )
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = commands.good(noun, "list")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", ran.out).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("id" in line.split() for line in lines)
    assert "\u2502" not in ran.out
    for number in {"gateway": ["1000"], "campaign": ["99999"], "voipapp": ["15551230001"]}.get(noun, ["100"]):
        assert any(number in line.split() for line in lines)


def test_what_is_left_out_is_named_beside_the_table(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    commands.good("user", "add", "ann", "--generate-password", "--max-frequency", 100, "--blacklist", "0900")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = commands.good("user", "list")
    assert ran.err.startswith("not shown, for want of room: ")
    assert "blacklist" in ran.err
