"""`dialer freeswitch` and `dialer doctor` as a user runs them, and what an installed wheel holds."""

from __future__ import annotations

import configparser
import json
from pathlib import Path, PurePath

import pytest

from dialer.freeswitch.content import FILES, known_modules
from dialer.settings_file import settings_file
from tests.forks import dialer
from tests.processes import ROOT, interpreted

STOCK = '<configuration name="event_socket.conf"><settings><param name="password" value="stock"/></settings></configuration>\n'

ANY_PORT = {"http": {"endpoint": "tcp:0:interface=127.0.0.1"}, "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"}}
"""Others use this machine, too: the doctor would tell whose the usual ports are."""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    root = tmp_path / "conf"
    (root / "autoload_configs").mkdir(parents=True)
    (root / "freeswitch.xml").write_text("<document/>\n")
    (root / "autoload_configs" / "event_socket.conf.xml").write_text(STOCK)
    return root


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "dialer.toml"
    path.touch(0o600)
    given = {"database": {"url": "sqlite:///dialer.db"}, "switch": {"password": "our-own", "port": 1}}
    path.write_text(settings_file({**given, **ANY_PORT}))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_install_shows_a_diff_and_uninstall_takes_it_back(conf: Path, config: Path) -> None:
    before = contents(conf)
    shown = dialer("freeswitch", "install", conf, "-c", config, "--replace", "--dry-run")
    assert contents(conf) == before
    assert "+++ b/dialplan/dialer.xml" in shown.stdout
    assert "nothing was changed" in shown.stdout

    done = dialer("freeswitch", "install", conf, "-c", config, "--replace")
    assert done.returncode == 1, "modules.conf.xml is missing, which remains to be done"
    assert "to do: autoload_configs/modules.conf.xml" in done.stdout
    assert "next: fs_cli -x 'reloadxml', then fs_cli -x 'reload mod_event_socket'" in done.stdout
    assert set(FILES) <= set(contents(conf))
    assert b'value="our-own"' in contents(conf)["autoload_configs/event_socket.conf.xml"]
    assert "our-own" not in done.stdout

    again = interpreted("freeswitch", "install", conf, "-c", config)
    assert "+++" not in again.stdout
    assert "next:" not in again.stdout

    undone = dialer("freeswitch", "uninstall", conf)
    assert undone.returncode == 0, undone.stderr
    assert contents(conf) == before
    assert "nothing of the dialer" in dialer("freeswitch", "uninstall", conf).stdout


def test_a_dry_run_shows_what_replacing_would_change(conf: Path, config: Path) -> None:
    shown = dialer("freeswitch", "install", conf, "-c", config, "--dry-run").stdout
    assert "autoload_configs/event_socket.conf.xml: left alone, not installed by the dialer" in shown
    assert "    +++ b/autoload_configs/event_socket.conf.xml" in shown
    assert "would be changed by --replace" in shown
    assert "our-own" not in shown
    assert "stock" not in shown
    done = dialer("freeswitch", "install", conf, "-c", config).stdout
    assert "would be changed" not in done
    assert (conf / "autoload_configs" / "event_socket.conf.xml").read_text() == STOCK


def test_a_stock_freeswitch_with_the_right_password_has_what_it_needs(conf: Path, config: Path) -> None:
    modules = "".join(f'<load module="{module.name}"/>' for module in known_modules() if module.need in ("needed", "sip"))
    (conf / "autoload_configs" / "modules.conf.xml").write_text(f"<configuration><modules>{modules}</modules></configuration>")
    own = '<param name="listen-ip" value="::"/><param name="listen-port" value="1"/>'
    stock = STOCK.replace("<settings>", f"<settings>{own}").replace("stock", "our-own")
    (conf / "autoload_configs" / "event_socket.conf.xml").write_text(stock)
    limits = '<configuration><settings><param name="sessions-per-second" value="30"/></settings></configuration>'
    (conf / "autoload_configs" / "switch.conf.xml").write_text(limits)
    done = dialer("freeswitch", "install", conf, "-c", config)
    assert done.returncode == 0, done.stdout
    assert "to do:" not in done.stdout
    assert done.stdout.count("better:") == 2


def test_a_folder_that_is_no_freeswitchs_is_wrong_usage(tmp_path: Path, config: Path) -> None:
    refused = dialer("freeswitch", "install", tmp_path, "-c", config)
    assert refused.returncode == 2
    assert refused.stderr.startswith("dialer: DIR: ")


def test_the_doctor_ends_with_the_status_of_what_it_found(tmp_path: Path, config: Path) -> None:
    ill = interpreted("doctor", "-c", config, "--json")
    assert ill.returncode == 1, ill.stderr
    told = json.loads(ill.stdout)
    assert told["worst"] == "failure"
    assert {"database", "switch"} == {one["check"] for one in told["findings"] if one["level"] == "failure"}
    assert "our-own" not in ill.stdout

    well = tmp_path / "well"
    assert dialer("init", well, "--simulator").returncode == 0
    (well / "dialer.toml").write_text(settings_file({"database": {"url": "sqlite:///dialer.db"}, "simulator": {}, **ANY_PORT}))
    found = dialer("doctor", "-c", well / "dialer.toml", "--strict")
    assert found.returncode == 0, found.stdout
    assert all(line.startswith("ok ") for line in found.stdout.splitlines())

    (well / "dialer.toml").chmod(0o640)
    assert dialer("doctor", "-c", well / "dialer.toml").returncode == 0
    assert dialer("doctor", "-c", well / "dialer.toml", "--strict").returncode == 1
    assert dialer("doctor", "-c", tmp_path / "nothing.toml").returncode == 2


def test_the_wheel_is_told_to_hold_each_file() -> None:
    """What is installed from a wheel is looked at by tox, with no checkout in sight."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    assert "dialer.freeswitch_conf = freeswitch_conf" in parser["options"]["package_dir"].splitlines()
    patterns = [PurePath(pattern.strip()) for pattern in parser["options.package_data"]["dialer.freeswitch_conf"].split(",")]
    shipped = [path.relative_to(ROOT / "freeswitch_conf") for path in (ROOT / "freeswitch_conf").rglob("*") if path.is_file()]
    packages = set(parser["options"]["packages"].split())
    for path in shipped:
        assert ".".join(("dialer", "freeswitch_conf", *path.parts[:-1])) in packages
        assert any(len(path.parts) == len(one.parts) and path.match(str(one)) for one in patterns), path
