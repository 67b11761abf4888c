"""The configuration file: what is read, what is refused and how that is told, and the file that is written."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config import changes, load_config, parse_config, secret_files
from dialer.errors import BadValue
from dialer.model import VoipAppType
from dialer.settings import Config
from dialer.settings_file import known_settings, settings_file, settings_tables, toml

SMALLEST = '[database]\nurl = "sqlite:///dialer.db"\n[[switch]]\npassword = "secret"\n'
SEVERAL = SMALLEST.partition("[[switch]]")[0] + "".join(
    f'[[switch]]\npassword = "{password}"\nname = "{{}}"\nport = {{}}\n' for password in ("b", "c")
)
VALUES = {"database": {"url": "sqlite:///dialer.db"}, "switch": {"password": "secret"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dialer.toml"


def load(file: Path, text: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def refusal(file: Path, text: str) -> str:
    with pytest.raises(BadValue) as refused:
        load(file, text)
    assert refused.value.field == str(file)
    assert "\n" not in str(refused.value)
    return refused.value.problem


def test_a_file_with_what_is_required_has_defaults_for_the_rest(file):
    config = load(file, SMALLEST)
    assert (config.switch[0].host, config.switch[0].port, config.switch[0].password) == ("127.0.0.1", 8021, "secret")
    assert config.http.requests_per_minute == 1000
    assert config.stop.timeout == 20.0
    assert config.calls_per_second == 25.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[database", "is not TOML"),
        ("\x00", "is not TOML"),
        ("", "database is missing"),
        (SMALLEST + "[htpt]\n", "htpt is not a setting"),
        (SMALLEST + "[http]\nendpont = 1\n", "http.endpont is not a setting"),
        (SMALLEST + "port = 0\n", "switch.port: Input should be greater than or equal to 1"),
        (SMALLEST + "[http]\nidle_timeout = nan\n", "http.idle_timeout: "),
        (SMALLEST + "[http]\nidle_timeout = inf\n", "http.idle_timeout: "),
        (SMALLEST + '[log]\nlevel = "loud"\n', "log.level: "),
        (SMALLEST + "silence = 2\n", "switch.silence: Input should be greater than or equal to 5"),
        (SMALLEST + "[recovery]\ngrace = 1\n", "recovery.grace: Input should be greater than or equal to 2"),
        (
            SMALLEST + "[recovery]\noriginate_window = 90\n",
            "recovery.originate_window: Input should be less than",
        ),
        (SMALLEST + "[simulator]\n", "expected [[switch]], one or several, or [simulator] in their place"),
        ('[database]\nurl = "sqlite:///x"\n', "expected [[switch]], one or several, or [simulator] in their place"),
        (
            SMALLEST + '[[switch]]\npassword = "b"\n',
            "switch.name is missing in [[switch]] number 2: of several,",
        ),
        (SEVERAL.format("a", 8021, "a", 8022), "switch.name: a is the name of 2 [[switch]]"),
        (SEVERAL.format("a", 8021, "b", 8021), "switch.port: 2 [[switch]] are at 127.0.0.1:8021, which is one FreeSWITCH"),
        (SEVERAL.format("a", 8021, "b", 0), "switch[2].port: Input should be greater than or equal to 1"),
        (SEVERAL.format("a", 8021, "b, c", 8022), "switch[2].name: String should match pattern"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_that_names_the_setting(file, text, problem):
    assert problem in refusal(file, text)


def test_one_switch_may_stand_in_a_plain_table(file):
    config = load(file, SMALLEST.replace("[[switch]]", "[switch]"))
    assert [switch.password for switch in config.switch] == ["secret"]


def test_there_may_be_several_switches_each_with_its_own_limits_and_gateways(file):
    config = load(file, SEVERAL.format("a", 8021, "b", 8022) + 'gateways = ["carrier"]\nmax_calls = 7\ncalls_per_second = 5\n')
    assert [(switch.name, switch.gateways, switch.max_calls) for switch in config.switch] == [
        ("a", frozenset(), 0),
        ("b", frozenset({"carrier"}), 7),
    ]
    assert config.calls_per_second == 30.0


def test_everything_that_is_wrong_is_told_at_once(file):
    problem = refusal(file, "[database]\n[[switch]]\nport = 0\n")
    assert "database.url is missing" in problem
    assert "switch.password is missing" in problem
    assert "switch.port: " in problem


def test_a_file_that_is_not_there_or_not_text_is_told(file):
    with pytest.raises(BadValue, match="cannot be read: No such file"):
        load_config(file)
    file.write_bytes(b"a = '\xff'")
    with pytest.raises(BadValue, match="not UTF-8"):
        load_config(file)


def test_a_password_is_not_shown(file):
    assert "secret" not in repr(load(file, SMALLEST))


def test_changes_tell_the_live_settings_from_those_that_need_a_restart(file):
    before = load(file, SMALLEST)
    assert changes(before, before) == ([], [])
    after = load(
        file, SMALLEST + 'calls_per_second = 9\nhost = "10.0.0.1"\n[log]\nlevel = "debug"\n[outbound]\ninline = true\n'
    )
    assert changes(before, after) == (["switch.calls_per_second", "log.level"], ["switch.host", "outbound.inline"])


def test_another_kind_of_switch_needs_a_restart(file):
    before = load(file, SMALLEST)
    after = load(file, '[database]\nurl = "sqlite:///dialer.db"\n[simulator]\n')
    assert changes(before, after) == ([], ["switch", "simulator"])


# --- secrets that are elsewhere ---------------------------------------------------------------------------------------------

ELSEWHERE = SMALLEST.replace('"secret"', '"{}"')


def test_a_secret_comes_from_a_file_beside_the_configuration_or_from_the_environment(file, tmp_path, monkeypatch):
    (tmp_path / "switch").write_text("of a file\nmore\n", encoding="utf-8")
    monkeypatch.setenv("SWITCH", "of the environment")
    monkeypatch.setenv("DATABASE", "sqlite:///other.db")
    for place, expected in (
        ("file:switch", "of a file"),
        (f"file:{tmp_path / 'switch'}", "of a file"),
        ("env:SWITCH", "of the environment"),
        ("clear", "clear"),
    ):
        assert load(file, ELSEWHERE.format(place)).switch[0].password == expected
    text = SMALLEST.replace("sqlite:///dialer.db", "env:DATABASE") + '[cdr]\npassword = "env:SWITCH"\n'
    config = load(file, text)
    assert (config.database.url, config.cdr.password) == ("sqlite:///other.db", "of the environment")
    assert secret_files(file) == []
    load(file, ELSEWHERE.format("file:switch"))
    assert secret_files(file) == [tmp_path / "switch"]


def test_a_secret_that_is_not_where_it_should_be_is_told_and_never_shown(file, tmp_path, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("SHORT", "hunter2")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for place, problem in (
        ("env:NOWHERE", "switch.password: there is no variable NOWHERE in the environment"),
        ("env:EMPTY", "switch.password: the environment's EMPTY is empty; expected a secret"),
        ("file:nowhere", f"switch.password: {tmp_path / 'nowhere'} cannot be read: No such file or directory"),
        ("file:empty", f"switch.password: {tmp_path / 'empty'} is empty; expected a secret"),
        ("file:bytes", f"switch.password: {tmp_path / 'bytes'} is not a file of text in UTF-8"),
    ):
        assert refusal(file, ELSEWHERE.format(place)) == problem
    short = refusal(file, SMALLEST + '[cdr]\npassword = "env:SHORT"\n')
    assert short.startswith("cdr.password: ")
    assert "hunter2" not in short


def test_a_secret_is_in_no_repr_of_the_configuration(file):
    config = load(file, SMALLEST.replace("sqlite:///dialer.db", "postgresql://ann:hunter2@h/d").replace("secret", "hunter2"))
    assert "hunter2" not in repr(config)


# --- the file that is written -----------------------------------------------------------------------------------------------


def test_a_written_file_is_read_back_with_its_values_and_the_defaults(file):
    text = settings_file({**VALUES, "http": {"endpoint": "tcp:0"}, "outbound": {"allow": ("10.0.0.1",), "inline": True}})
    config = load(file, text)
    assert config.http.endpoint == "tcp:0"
    assert config.outbound.allow == ("10.0.0.1",)
    assert config.outbound.inline is True
    assert config == parse_config(
        {
            "database": VALUES["database"],
            "switch": [VALUES["switch"]],
            "http": {"endpoint": "tcp:0"},
            "outbound": {"allow": ["10.0.0.1"], "inline": True},
        }
    )


def test_every_setting_is_in_the_file_with_its_explanation_and_its_default(file):
    text = settings_file(VALUES)
    lines = text.splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"#?\w+ = ", line)]
    assert len(settings) == len(known_settings())
    for number in settings:
        assert re.match(r"# .", lines[number - 1]), lines[number]
    assert text.count("Default:") + text.count("Required.") == len(known_settings())


def test_the_defaults_that_the_file_shows_are_those_that_hold_without_them(file):
    text = settings_file({"database": VALUES["database"], "simulator": {}})
    shown = re.sub(r"(?m)^#(?=(\w+ = |\[))", "", text)
    without_switch = re.sub(r"(?s)\[\[switch\]\].*?(?=# The built-in)", "", shown)
    assert tomllib.loads(without_switch) != tomllib.loads(text)
    assert load(file, without_switch) == load(file, text)


@pytest.mark.parametrize("number", ["", "1", "0800-555", "abc", "+", "1" * 16])
def test_an_emergency_number_of_the_installation_is_a_number(file: Path, number: str) -> None:
    problem = refusal(file, f'{SMALLEST}[numbers]\nemergency = ["0800555", "{number}"]\n')
    assert problem.startswith("numbers.emergency: ")
    assert problem.endswith("is not a number of 2 to 15 digits")


def test_a_value_that_is_no_setting_is_a_mistake():
    with pytest.raises(KeyError, match=r"http\.port"):
        settings_file({**VALUES, "http": {"port": 1}})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_being_written(text):
    assert tomllib.loads(f"a = {toml(text)}")["a"] == text
    assert toml(text).isprintable()


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False)))
def test_any_list_survives_being_written(values):
    assert tomllib.loads(f"a = {toml(values)}")["a"] == values


def test_the_manual_has_every_setting_as_it_is_declared():
    manual = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert settings_tables().strip("\n") in manual, "run: python docs/write.py"


def test_a_setting_that_is_not_in_the_file_has_its_default_as_the_program_needs_it(file):
    apps = load(file, SMALLEST).apps
    assert apps.opt_out_kinds == {VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK}
    assert apps.formats == frozenset()
