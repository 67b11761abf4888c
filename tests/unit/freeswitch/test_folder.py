"""Installing into a folder and taking it back: what is somebody else's stays as it is, to the byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config import parse_config
from dialer.errors import BadValue, DialerError
from dialer.freeswitch.content import EVENT_SOCKET, FILES, ConfFile, render
from dialer.freeswitch.folder import ConfFolder
from dialer.freeswitch.manifest import Entry, Manifest, decode, digest, encode
from dialer.freeswitch.planning import Verb, diff, plan_install, plan_uninstall, summary

THEIRS = (
    '<configuration name="event_socket.conf"><settings><param name="password" value="theirs"/></settings></configuration>\n'
)


def files(password: str = "secret") -> list[ConfFile]:
    return render(parse_config({"database": {"url": "sqlite:///d"}, "switch": [{"password": password}]}))


Tree = dict[str, tuple[int, bytes]]


def tree(folder: Path) -> Tree:
    """Every folder and file with its mode and content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A small configuration tree of a FreeSWITCH."""
    root = tmp_path / "conf"
    for name in ("autoload_configs", "dialplan"):
        (root / name).mkdir(parents=True)
    (root / "freeswitch.xml").write_text("<document/>\n")
    (root / EVENT_SOCKET).write_text(THEIRS)
    (root / EVENT_SOCKET).chmod(0o640)
    (root / "dialplan" / "default.xml").write_bytes(b"\xff not even UTF-8\r\n")
    return root


def install(conf: Path, password: str = "secret", *, replace: bool = False) -> dict[str, Verb]:
    wanted = files(password)
    with ConfFolder(conf) as folder:
        steps = plan_install(wanted, folder.manifest, folder.read_all(file.path for file in wanted), replace=replace)
        folder.carry_out(steps)
    return {step.path: step.verb for step in steps}


def uninstall(conf: Path) -> dict[str, Verb]:
    with ConfFolder(conf) as folder:
        steps = plan_uninstall(folder.manifest, folder.read_all(folder.manifest.files), folder.backups())
        folder.carry_out(steps)
    return {step.path: step.verb for step in steps}


def test_an_empty_file_is_replaced_and_put_back(conf: Path) -> None:
    (conf / EVENT_SOCKET).write_text("")
    before = tree(conf)
    install(conf, replace=True)
    uninstall(conf)
    assert tree(conf) == before


@pytest.mark.parametrize("replace", [False, True])
def test_after_uninstalling_the_folder_is_as_it_was_to_the_byte_and_the_mode(conf: Path, replace: bool) -> None:
    before = tree(conf)
    install(conf, replace=replace)
    assert tree(conf) != before
    uninstall(conf)
    assert tree(conf) == before


def test_what_is_somebody_elses_is_left_alone_unless_it_shall_be_replaced(conf: Path) -> None:
    verbs = install(conf)
    assert verbs.pop(EVENT_SOCKET) is Verb.LEAVE
    assert set(verbs.values()) == {Verb.CREATE}
    assert (conf / EVENT_SOCKET).read_text() == THEIRS
    assert install(conf, replace=True)[EVENT_SOCKET] is Verb.REPLACE
    assert 'value="secret"' in (conf / EVENT_SOCKET).read_text()


def test_installing_again_changes_nothing(conf: Path) -> None:
    install(conf, replace=True)
    before = tree(conf)
    assert set(install(conf, replace=True).values()) == {Verb.KEEP}
    assert set(install(conf).values()) == {Verb.KEEP}
    assert tree(conf) == before


def test_another_password_brings_our_own_file_up_to_date_and_the_first_one_is_what_comes_back(conf: Path) -> None:
    before = tree(conf)
    install(conf, replace=True)
    assert install(conf, "another")[EVENT_SOCKET] is Verb.UPDATE
    assert 'value="another"' in (conf / EVENT_SOCKET).read_text()
    uninstall(conf)
    assert tree(conf) == before


def test_our_own_file_that_somebody_has_changed_is_somebody_elses(conf: Path) -> None:
    install(conf)
    mine = conf / "dialplan" / "dialer.xml"
    mine.write_text("changed")
    assert install(conf)["dialplan/dialer.xml"] is Verb.LEAVE
    assert uninstall(conf)["dialplan/dialer.xml"] is Verb.LEAVE
    assert mine.read_text() == "changed"
    mine.unlink()
    assert uninstall(conf) == {"dialplan/dialer.xml": Verb.FORGET}
    assert not (conf / "dialer").exists()


def test_changes_that_are_replaced_are_kept_too(conf: Path) -> None:
    install(conf, replace=True)
    (conf / EVENT_SOCKET).write_text("changed")
    assert install(conf, replace=True)[EVENT_SOCKET] is Verb.REPLACE
    kept = [path.read_text() for path in (conf / "dialer/backup/autoload_configs").iterdir()]
    assert sorted(kept) == sorted([THEIRS, "changed"])
    uninstall(conf)
    assert (conf / EVENT_SOCKET).read_text() == THEIRS


def test_a_file_that_was_deleted_comes_back(conf: Path) -> None:
    before = tree(conf)
    install(conf, replace=True)
    (conf / EVENT_SOCKET).unlink()
    assert install(conf)[EVENT_SOCKET] is Verb.CREATE
    (conf / EVENT_SOCKET).unlink()
    assert uninstall(conf)[EVENT_SOCKET] is Verb.RESTORE
    assert tree(conf) == before


def test_a_file_written_by_hand_just_as_ours_stays_theirs(conf: Path) -> None:
    (conf / "dialplan" / "dialer.xml").write_text(files()[0].text)
    assert install(conf)["dialplan/dialer.xml"] is Verb.KEEP
    assert "dialplan/dialer.xml" not in uninstall(conf)
    assert (conf / "dialplan" / "dialer.xml").exists()


def test_a_backup_that_is_damaged_is_not_put_back(conf: Path) -> None:
    install(conf, replace=True)
    (backup,) = (conf / "dialer/backup/autoload_configs").iterdir()
    backup.write_text("damaged")
    assert uninstall(conf)[EVENT_SOCKET] is Verb.LEAVE
    assert 'value="secret"' in (conf / EVENT_SOCKET).read_text()


@pytest.mark.parametrize("failing", range(1, 40))
def test_an_installation_that_is_cut_short_anywhere_can_be_undone(
    conf: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(conf)
    calls = 0
    real = os.fsync

    def fail(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= failing:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    try:
        install(conf, replace=True)
    except DialerError as error:
        assert "No space left" in str(error)
    monkeypatch.undo()
    if (conf / "dialer" / "manifest.json").exists():
        uninstall(conf)
        assert tree(conf) == before
    install(conf, replace=True)
    uninstall(conf)
    assert (conf / EVENT_SOCKET).read_text() == THEIRS


def test_the_password_can_be_read_by_nobody_else(conf: Path) -> None:
    (conf / EVENT_SOCKET).unlink()
    install(conf)
    assert stat.S_IMODE((conf / EVENT_SOCKET).stat().st_mode) & 0o027 == 0
    assert stat.S_IMODE((conf / "dialplan" / "dialer.xml").stat().st_mode) == stat.S_IMODE(
        (conf / "freeswitch.xml").stat().st_mode
    )


def test_a_symbolic_link_is_not_followed(conf: Path, tmp_path: Path) -> None:
    (conf / "dialplan" / "dialer.xml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DialerError, match="symbolic link"):
        install(conf, replace=True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_no_freeswitchs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match=r"freeswitch\.xml"):
        ConfFolder(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"version": 2}', '{"version": 1, "files": {"../x": {"digest": "", "replaced": ""}}, "folders": []}'],
)
def test_a_damaged_manifest_is_refused_before_anything_is_done(conf: Path, text: str) -> None:
    (conf / "dialer").mkdir()
    (conf / "dialer" / "manifest.json").write_text(text)
    before = tree(conf)
    with pytest.raises(DialerError, match=r"manifest\.json"):
        install(conf)
    assert tree(conf) == before


DIGESTS = st.binary().map(digest)


@given(st.dictionaries(st.sampled_from(FILES), st.builds(Entry, digest=DIGESTS, replaced=st.just("") | DIGESTS)))
def test_a_manifest_is_read_as_it_was_written(entries: dict[str, Entry]) -> None:
    manifest = Manifest(files=entries, folders=("dialer",))
    assert decode(encode(manifest)) == manifest


def test_no_password_shows_in_what_is_told(conf: Path) -> None:
    wanted = files("hunter2")
    with ConfFolder(conf) as folder:
        steps = plan_install(wanted, folder.manifest, folder.read_all(FILES), replace=True)
    told = "\n".join([*diff(steps), *map(summary, steps)])
    assert "+++ b/dialplan/dialer.xml" in told
    assert "hunter2" not in told
    assert "theirs" not in told


def test_a_digest_is_of_the_bytes() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
