"""What all commands have in common: options anywhere, the configuration that is found, help, and hints."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.cli import frame
from dialer.cli.frame import ShellParser, find_config
from dialer.cli.main import COMMANDS, build_parser, main, parser_for
from dialer.errors import BadValue
from tests.processes import environment
from tests.unit.cli.support import Commands

READS_NONE = {
    ("init",), ("demo",), ("simulate",), ("help",), ("freeswitch", "uninstall"), ("hooks", "check"),
    ("metrics", "rules"), ("metrics", "dashboard"), ("metrics", "list"),
    ("rules", "list"), ("rules", "show"), ("rules", "why"),
}  # fmt: skip
"""Those that need none; `hooks check` reads one where no app is named, and those of rules where there is one."""


def leaves(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ShellParser]]:
    """Each command that can be run, with its words."""
    assert isinstance(parser, ShellParser)
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below or not below[0].required:
        yield path, parser
    for action in below:
        for name, one in action.choices.items():
            yield from leaves(one, (*path, name))


LEAVES = dict(leaves(build_parser()))


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in, and no configuration anywhere else. Help texts name the places where one is looked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIALER_CONFIG", raising=False)
    monkeypatch.setattr(frame, "INSTALLED", tmp_path / "installed" / "dialer.toml")
    build_parser.cache_clear()
    yield tmp_path
    build_parser.cache_clear()


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_takes_the_common_options_before_and_after_each_of_its_words(words: tuple[str, ...]) -> None:
    common = ["-c", "here.toml", "--log-level", "debug"]
    actions = [action for action in LEAVES[words]._actions if action.required]
    needed = [text for action in actions for text in (*action.option_strings[:1], "x")]
    for place in range(len(words) + 1):
        arguments = build_parser().parse_args([*words[:place], *common, *words[place:], *needed])
        assert (arguments.config, arguments.log_level) == (Path("here.toml"), "debug")


def test_a_command_is_read_without_the_modules_of_the_others() -> None:
    assert {words[0] for words in LEAVES} == {*COMMANDS, "help"}
    for word in COMMANDS:
        assert {path[0] for path, _ in leaves(parser_for(["-c", "x", word]))} > {word}
    program = "import sys; from dialer.cli.main import parser_for; parser_for(['dnc']); print('dialer.service' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_an_option_after_the_command_wins_over_the_one_before_it() -> None:
    arguments = build_parser().parse_args(["-c", "first", "gateway", "-c", "second", "list", "--config", "third"])
    assert arguments.config == Path("third")


@pytest.mark.parametrize("words", sorted(set(LEAVES) - READS_NONE), ids=" ".join)
def test_a_command_that_reads_a_configuration_is_known_as_one(words: tuple[str, ...]) -> None:
    assert LEAVES[words].get_default("needs_config")


@pytest.mark.parametrize("words", [["init", "folder"], ["demo"], ["simulate"]], ids=" ".join)
def test_a_configuration_that_a_command_does_not_read_is_refused_where_it_would_mislead(
    words: list[str], nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "-c", "dialer.toml"]) == 2
    assert capsys.readouterr().err.startswith(
        f"dialer: --config: is nothing that {'the demo' if words == ['demo'] else words[0]}"
    )
    assert list(nowhere.iterdir()) == []


def test_uninstalling_does_not_mind_a_configuration_as_installing_needs_one(
    nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (nowhere / "freeswitch.xml").touch()
    assert main(["freeswitch", "uninstall", str(nowhere), "-c", "dialer.toml"]) == 0
    assert "nothing of the dialer is installed" in capsys.readouterr().out


# --- the configuration that is found ----------------------------------------------------------------------------------------


def test_the_variable_wins_over_the_current_folder_and_that_over_the_installed_one(nowhere: Path) -> None:
    frame.INSTALLED.parent.mkdir()
    frame.INSTALLED.touch()
    assert find_config({}) == frame.INSTALLED
    (nowhere / "dialer.toml").touch()
    assert find_config({}) == Path("dialer.toml")
    (nowhere / "other.toml").touch()
    assert find_config({"DIALER_CONFIG": "other.toml"}) == Path("other.toml")
    assert find_config({"DIALER_CONFIG": ""}) == Path("dialer.toml")


def test_without_any_configuration_all_places_are_named(nowhere: Path) -> None:
    with pytest.raises(BadValue) as refused:
        find_config({})
    told = str(refused.value)
    assert [
        place for place in ("--config", "DIALER_CONFIG", "current folder", str(frame.INSTALLED)) if place not in told
    ] == []
    assert "dialer init" in told


def test_a_variable_that_names_no_file_is_what_is_wrong(nowhere: Path) -> None:
    (nowhere / "dialer.toml").touch()
    with pytest.raises(BadValue, match=r"^DIALER_CONFIG: gone\.toml: No such file"):
        find_config({"DIALER_CONFIG": "gone.toml"})


@pytest.mark.parametrize("way", ["variable", "folder", "installed", "first", "last"])
def test_a_command_runs_on_the_configuration_however_it_is_named(
    way: str, nowhere: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = nowhere / "elsewhere"
    elsewhere.mkdir()
    if way != "folder":
        monkeypatch.chdir(elsewhere)
    if way == "variable":
        monkeypatch.setenv("DIALER_CONFIG", str(commands.config))
    if way == "installed":
        monkeypatch.setattr(frame, "INSTALLED", commands.config)
    words = {"first": ["-c", commands.config, "gateway", "list"], "last": ["gateway", "list", "-c", commands.config]}
    ran = commands.bare(*words.get(way, ["gateway", "list"]), "--json")
    assert (ran.status, ran.json) == (0, [])


# --- help, and hints --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), *LEAVES], ids=" ".join)
def test_help_is_the_help_of_the_command(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for line in (["help", *words], [*words, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(line)
        assert not ended.value.code
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert told[0].startswith(" ".join(("usage: dialer", *words)))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("gatway", "did you mean gateway?"),
        ("Campaigns", "did you mean campaign?"),
        ("help gatway", "did you mean gateway?"),
        ("gateway lits", "did you mean list?"),
        ("gateway delete 1", "did you mean remove?"),
        ("user create ann", "did you mean add?"),
        ("freeswitch instal", "did you mean install"),
        ("qqq", "expected demo, init, "),
        ("--log-level loud check", "--log-level: expected debug, info, warning or error, got 'loud'"),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_the_nearest(
    line: str, hint: str, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert hint in told
    assert "see: dialer help" in told
