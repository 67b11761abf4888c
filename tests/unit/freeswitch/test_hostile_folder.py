"""`dialer freeswitch` in a folder whose owner is hostile: nothing outside of it is read, written, removed or given away."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.cli.main import main
from dialer.freeswitch.content import DIALPLAN, EVENT_SOCKET, FILES
from dialer.freeswitch.manifest import digest
from dialer.settings_file import settings_file
from tests.hostile import OTHER, ROOT, as_root, secret_of_ours, untouched

OWNER = OTHER if ROOT else os.geteuid()
"""The user of FreeSWITCH."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "dialer.toml"
    path.write_text(settings_file({"database": {"url": "sqlite:///d"}, "switch": {"password": "our-own"}}))
    return path


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    root = tmp_path / "conf"
    for name in ("autoload_configs", "dialplan"):
        (root / name).mkdir(parents=True)
    (root / "freeswitch.xml").write_text("<document/>\n")
    (root / EVENT_SOCKET).write_text("<configuration/>\n")
    for path in (root, *root.rglob("*")):
        os.chown(path, OWNER, OWNER if ROOT else -1)
    return root


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return secret_of_ours(tmp_path)


Install = Callable[..., int]


@pytest.fixture
def install(conf: Path, config: Path) -> Install:
    return lambda *options: main(["freeswitch", "install", str(conf), "-c", str(config), "--replace", *options])


def uninstall(conf: Path) -> int:
    return main(["freeswitch", "uninstall", str(conf)])


def manifest(files: dict[str, tuple[str, str]], folders: tuple[str, ...] = ()) -> str:
    entries = {path: {"digest": own, "replaced": replaced} for path, (own, replaced) in files.items()}
    return json.dumps({"version": 1, "files": entries, "folders": folders})


def forge(conf: Path, text: str) -> None:
    (conf / "dialer").mkdir(exist_ok=True)
    (conf / "dialer" / "manifest.json").write_text(text)


def copies(conf: Path) -> list[str]:
    """The names of all files that hold the secret; a link is none."""
    files = (path for path in conf.rglob("*") if path.is_file() and not path.is_symlink())
    return [path.name for path in files if b"root:secret" in path.read_bytes()]


@pytest.mark.parametrize("name", [*FILES, "dialer/manifest.json", "freeswitch.xml", "autoload_configs/switch.conf.xml"])
def test_a_link_is_neither_read_nor_written(conf: Path, secret: Path, install: Install, name: str) -> None:
    there = conf / name
    there.parent.mkdir(parents=True, exist_ok=True)
    there.unlink(missing_ok=True)
    there.symlink_to(secret)
    assert install() != 0
    assert untouched(secret)
    assert copies(conf) == []


@pytest.mark.parametrize("name", [*FILES, "dialer/manifest.json", "freeswitch.xml"])
def test_a_hard_link_is_neither_read_nor_written(conf: Path, secret: Path, install: Install, name: str) -> None:
    there = conf / name
    there.parent.mkdir(parents=True, exist_ok=True)
    there.unlink(missing_ok=True)
    there.hardlink_to(secret)
    assert install() != 0
    there.unlink()
    assert untouched(secret)
    assert copies(conf) == []


@pytest.mark.parametrize("name", [DIALPLAN, "dialer/manifest.json", "freeswitch.xml"])
def test_a_pipe_does_not_stop_it_for_ever(conf: Path, install: Install, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    there = conf / name
    there.parent.mkdir(exist_ok=True)
    there.unlink(missing_ok=True)
    os.mkfifo(there)
    assert install() != 0
    assert "is no regular file" in capsys.readouterr().err


def test_a_file_without_end_is_not_read_to_its_end(conf: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    with (conf / DIALPLAN).open("wb") as file:
        file.truncate(1 << 40)
    assert install() == 1
    assert "is longer than" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["dialer", "dialplan", "autoload_configs", "sip_profiles", "dialer/backup"])
def test_a_link_in_the_place_of_a_folder_leads_nowhere(conf: Path, secret: Path, install: Install, name: str) -> None:
    there = conf / name
    if there.exists():
        there.rename(conf / "away")
    there.parent.mkdir(exist_ok=True)
    there.symlink_to(secret.parent)
    assert install() != 0
    assert untouched(secret)


@pytest.mark.parametrize("name", ["dialer/backup", "dialplan"])
def test_a_link_in_the_place_of_a_folder_is_not_followed_to_undo(
    conf: Path, secret: Path, install: Install, name: str
) -> None:
    install()
    (conf / name).rename(conf / "away")
    (conf / name).symlink_to(secret.parent)
    assert uninstall(conf) == 1
    assert untouched(secret)


def test_nothing_is_written_through_the_name_of_an_unfinished_file(conf: Path, secret: Path, install: Install) -> None:
    for name in (*FILES, "dialer/manifest.json"):
        there = (conf / name).with_name(f".{Path(name).name}.{os.getpid()}.new")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.symlink_to(secret)
    install()
    assert untouched(secret)


HEX = "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        manifest({"../elsewhere/shadow": (digest(b"root:secret\n"), "")}),
        manifest({"autoload_configs/../../elsewhere/shadow": (digest(b"root:secret\n"), "")}),
        manifest({"/etc/ld.so.preload": (HEX, HEX)}),
        manifest({"freeswitch.xml": (digest(b"<document/>\n"), "")}),
        manifest({EVENT_SOCKET: (digest(b"<configuration/>\n"), "/../../../x/../../elsewhere/shadow")}),
        manifest({EVENT_SOCKET: ("", "")}),
        manifest({EVENT_SOCKET: (digest(b"<configuration/>\n"), "x" * 64)}),
        manifest({}, ("../elsewhere",)),
        manifest({}, ("away",)),
        manifest({}, ("/tmp",)),
        "[" * 100_000,
        '{"version": 2' + "0" * 5000 + "}",
    ],
)
def test_a_forged_manifest_is_refused(
    conf: Path, secret: Path, install: Install, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (conf / "away").mkdir()
    forge(conf, text)
    before = sorted(conf.rglob("*"))
    assert uninstall(conf) == 1
    assert install() == 1
    told = capsys.readouterr().err
    assert "manifest.json" in told
    assert len(told) < 2000
    assert sorted(conf.rglob("*")) == before
    assert untouched(secret)


def test_a_forged_backup_comes_back_into_the_folder_only(conf: Path, secret: Path) -> None:
    evil = b"evil"
    forge(conf, manifest({DIALPLAN: (digest(b""), digest(evil))}))
    kept = conf / f"dialer/backup/{DIALPLAN}.{digest(evil)[:12]}"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(evil)
    kept.chmod(0o4755)
    (conf / DIALPLAN).symlink_to(secret)
    assert uninstall(conf) == 1
    assert untouched(secret)
    (conf / DIALPLAN).unlink()
    assert uninstall(conf) == 0
    status = (conf / DIALPLAN).stat()
    assert stat.S_IMODE(status.st_mode) == 0o755
    assert status.st_uid == OWNER


@as_root
def test_all_that_is_made_belongs_to_the_owner_of_the_folder_before_it_has_content(
    conf: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    real = os.fchown

    def note(descriptor: int, uid: int, gid: int) -> None:
        seen.append((os.fstat(descriptor).st_size if stat.S_ISREG(os.fstat(descriptor).st_mode) else 0, uid))
        real(descriptor, uid, gid)

    monkeypatch.setattr(os, "fchown", note)
    install()
    assert set(seen) == {(0, OWNER)}
    for path in conf.rglob("*"):
        assert (path.stat().st_uid, path.stat().st_gid) == (OWNER, OWNER), path


@as_root
def test_a_file_of_root_in_it_makes_no_other_one_roots(conf: Path, install: Install) -> None:
    os.chown(conf / "freeswitch.xml", 0, 0)
    os.chown(conf / EVENT_SOCKET, 0, 0)
    install()
    made = [path for path in conf.rglob("*") if path.name != "freeswitch.xml"]
    assert {path.stat().st_uid for path in made} == {OWNER}


@as_root
def test_in_a_folder_of_root_files_belong_to_the_owner_of_freeswitch_xml(conf: Path, install: Install) -> None:
    os.chown(conf, 0, 0)
    install()
    assert (conf / DIALPLAN).stat().st_uid == OWNER


@pytest.mark.parametrize("swapped", ["dialplan", "autoload_configs", "dialer"])
@pytest.mark.parametrize("moment", ["rename", "fsync", "unlink", "open", "mkdir"])
@pytest.mark.parametrize("nth", [1, 3, 6])
def test_a_folder_that_becomes_a_link_at_any_moment_leads_nowhere(
    conf: Path, secret: Path, install: Install, swapped: str, moment: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, moment)
    calls = 0

    def swap(*arguments: object, **more: object) -> object:
        nonlocal calls
        calls += 1
        if calls == nth and (conf / swapped).exists():
            (conf / swapped).replace(conf / f"was-{swapped}")
            (conf / swapped).symlink_to(secret.parent)
        return real(*arguments, **more)

    monkeypatch.setattr(os, moment, swap)
    install()
    uninstall(conf)
    monkeypatch.undo()
    assert untouched(secret)


@as_root
def test_another_folder_that_is_moved_into_the_place_of_a_new_one_is_not_given_away(
    conf: Path, install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    private = conf / "private"
    private.mkdir(0o700)
    (private / "key").write_text("secret")
    real = os.mkdir

    def swap(path: str, *arguments: object, **more: object) -> None:
        real(path, *arguments, **more)  # type: ignore[arg-type]
        if path == "dialer" and private.exists():
            (conf / "dialer").rmdir()
            private.rename(conf / "dialer")

    monkeypatch.setattr(os, "mkdir", swap)
    assert install() == 1
    assert "is another folder than the one that was just made" in capsys.readouterr().err
    status = (conf / "dialer").stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (0, 0o700)


@as_root
def test_a_link_of_somebody_else_in_the_place_of_the_folder_is_not_followed(
    tmp_path: Path, conf: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(conf)
    command = ["freeswitch", "install", str(link), "-c", str(config), "--dry-run"]
    assert main(command) != 2, "root's own link may be named"
    os.chown(link, OWNER, OWNER, follow_symlinks=False)
    assert main(command) == 1
    assert "symbolic link of somebody else" in capsys.readouterr().err


def test_the_owner_of_the_folder_needs_no_right_to_read_the_configuration(
    conf: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(config.read_text()))
    main(["freeswitch", "install", str(conf), "-c", "-", "--replace"])
    assert "our-own" in (conf / EVENT_SOCKET).read_text()


def test_what_is_told_of_a_file_holds_nothing_that_a_terminal_obeys(
    conf: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '<configuration><param name="listen-port" value="\x9b31m"/></configuration>'
    (conf / EVENT_SOCKET).write_text(text, encoding="utf-8")
    main(["freeswitch", "install", str(conf), "-c", str(config)])
    assert "\x9b" not in capsys.readouterr().out
