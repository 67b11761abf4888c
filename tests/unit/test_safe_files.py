"""Files in folders of others, and paths that lead through them: nobody leads us elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.safe_files import Access, Folder, UnsafeFile
from dialer.safe_paths import check_plain, create, open_folder, open_to_read, own_descriptor, written
from tests.hostile import OTHER, as_root, folder_of_another


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("secret")
    return path


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return folder_of_another(tmp_path / "theirs")


@pytest.fixture
def folder(theirs: Path) -> Iterator[Folder]:
    with open_folder(theirs) as opened:
        yield opened


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- below an opened folder -------------------------------------------------------------------------------------------------


def link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def hard_link(path: Path, secret: Path) -> None:
    path.hardlink_to(secret)


def pipe(path: Path, secret: Path) -> None:
    os.mkfifo(path)


def subfolder(path: Path, secret: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("irregular", [link, hard_link, pipe, subfolder])
@pytest.mark.parametrize(
    "flags", [os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_EXCL]
)
def test_only_a_regular_file_with_one_name_is_opened(
    folder: Folder, theirs: Path, secret: Path, irregular: object, flags: int
) -> None:
    assert callable(irregular)
    irregular(theirs / "file", secret)
    with pytest.raises((UnsafeFile, FileExistsError)):
        folder.open("file", flags)
    with pytest.raises(UnsafeFile):
        folder.read("file", 100)
    assert secret.read_text() == "secret"
    assert secret.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "a/b", "a\0b"])
def test_a_name_is_one_name(folder: Folder, name: str) -> None:
    for act in (folder.status, folder.remove, folder.folder, folder.remove_folder, folder.open):
        with pytest.raises(UnsafeFile):
            act(name)
    with pytest.raises(UnsafeFile):
        folder.write(name, b"")
    with pytest.raises(UnsafeFile):
        folder.make_folder(name, Access())
    assert folder.names() == []


def test_a_file_takes_the_place_of_a_link_and_not_of_where_it_leads(folder: Folder, theirs: Path, secret: Path) -> None:
    (theirs / "file").symlink_to(secret)
    folder.write("file", b"new")
    assert (theirs / "file").read_bytes() == b"new"
    assert not (theirs / "file").is_symlink()
    assert secret.read_text() == "secret"
    assert folder.names() == ["file"]


def test_a_file_is_whole_or_not_there(folder: Folder, theirs: Path) -> None:
    folder.write("file", b"old")
    with pytest.raises(ZeroDivisionError), folder.replacing("file") as file:
        file.write(b"half")
        file.flush()
        assert (theirs / "file").read_bytes() == b"old"
        raise ZeroDivisionError
    assert folder.names() == ["file"]
    assert (theirs / "file").read_bytes() == b"old"


def test_an_opened_folder_stays_what_it_is(folder: Folder, theirs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    theirs.rename(tmp_path / "away")
    theirs.symlink_to(elsewhere)
    folder.write("file", b"new")
    folder.make_folder("inner", Access(mode=0o755)).close()
    assert list(elsewhere.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "away").iterdir()) == ["file", "inner"]


def test_a_folder_below_is_reached_by_no_link(folder: Folder, theirs: Path, tmp_path: Path) -> None:
    (theirs / "a").symlink_to(tmp_path)
    with pytest.raises(UnsafeFile, match="symbolic link"), folder.within("a/secret"):
        pass
    with pytest.raises(UnsafeFile, match="symbolic link"), folder.below(["a", "b"], make=True):
        pass
    assert not (tmp_path / "b").exists()


@as_root
def test_what_root_makes_belongs_to_the_owner_of_the_folder(folder: Folder, theirs: Path) -> None:
    os.close(folder.open("lock", os.O_RDWR | os.O_CREAT))
    with folder.below(["a", "b"], make=True) as inner:
        os.close(inner.open("log", os.O_RDWR | os.O_CREAT))
    assert {path.stat().st_uid for path in theirs.rglob("*")} == {OTHER}
    assert {path.stat().st_gid for path in theirs.rglob("*")} == {OTHER}


@as_root
def test_a_file_with_content_is_not_given_away(folder: Folder, theirs: Path) -> None:
    (theirs / "file").write_text("root's")
    os.close(folder.open("file", os.O_RDWR | os.O_CREAT))
    assert (theirs / "file").stat().st_uid == 0


# --- a path that was named --------------------------------------------------------------------------------------------------


def test_links_of_ones_own_are_followed_on_the_way(tmp_path: Path, theirs: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to(tmp_path / "theirs" / ".." / "theirs")
    with open_folder(tmp_path / "one") as opened:
        opened.write("file", b"new")
    assert (theirs / "file").read_bytes() == b"new"
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError, match="round"):
        open_folder(tmp_path / "round")


def test_a_relative_path_counts_from_the_working_directory(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(theirs)
    with written(Path("file")) as file:
        file.write(b"new")
    monkeypatch.chdir("/")
    assert (theirs / "file").read_bytes() == b"new"


@as_root
def test_links_of_somebody_else_are_not_followed(tmp_path: Path, theirs: Path, secret: Path) -> None:
    for name, target in (("way", tmp_path), ("file", secret), ("nothing", tmp_path / "nothing")):
        (theirs / name).symlink_to(target)
        os.chown(theirs / name, OTHER, OTHER, follow_symlinks=False)
    for act in (open_folder, open_to_read, check_plain, create):
        with pytest.raises(UnsafeFile, match="somebody else"):
            act(theirs / "way" / "secret")
    with pytest.raises(UnsafeFile, match="somebody else"):
        open_to_read(theirs / "file")
    for name in ("file", "nothing"):
        with pytest.raises(UnsafeFile, match="somebody else"):
            check_plain(theirs / name)
        with written(theirs / name) as file:
            file.write(b"ours")
    create(theirs / "way").close()
    assert secret.read_text() == "secret"
    assert not (tmp_path / "nothing").exists()
    assert (theirs / "way~").is_symlink()


@as_root
def test_a_link_that_changes_while_it_is_looked_at_is_not_followed(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = theirs / "way"
    way.symlink_to(tmp_path)
    real = os.readlink

    def swap(name: str, **more: int) -> str:
        way.unlink()
        way.symlink_to("/")
        os.chown(way, OTHER, OTHER, follow_symlinks=False)
        return real(name, **more)

    monkeypatch.setattr(os, "readlink", swap)
    with pytest.raises(UnsafeFile, match="has just changed"):
        open_folder(way / "x")


@as_root
def test_a_second_name_of_a_file_in_a_folder_of_somebody_else_is_not_read(theirs: Path, secret: Path) -> None:
    (theirs / "file").hardlink_to(secret)
    with pytest.raises(UnsafeFile, match="second name"):
        open_to_read(theirs / "file")
    with open_to_read(secret) as file:
        assert file.read() == b"secret"


@as_root
def test_nothing_is_poured_into_a_pipe_of_somebody_else(theirs: Path) -> None:
    os.mkfifo(theirs / "pipe")
    os.chown(theirs / "pipe", OTHER, OTHER)
    with pytest.raises(UnsafeFile, match="belongs to somebody else"), written(theirs / "pipe"):
        pass


def test_a_pipe_of_ones_own_and_a_device_are_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with written(tmp_path / "pipe") as file:
        file.write(b"told")
    assert os.read(reader, 10) == b"told"
    os.close(reader)
    with create(Path("/dev/null")) as file:
        file.write(b"told")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_descriptor_of_this_process_is_itself_and_not_its_name(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with written(Path(f"/dev/fd/{writer}")) as file:
        file.write(b"told")
    os.close(writer)
    with open_to_read(Path(f"/proc/self/fd/{reader}")) as file:
        assert file.read() == b"told"
    os.close(reader)
    assert [own_descriptor(Path(name)) for name in ("/dev/stdin", "/dev/stderr", "/dev/null", "stdin")] == [0, 2, None, None]


def test_a_file_that_is_written_anew_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o600)
    with written(path) as file:
        file.write(b"new")
    assert mode(path) == 0o600


def test_a_file_is_looked_at_without_being_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing it would end the locks that SQLite has on it."""
    path = tmp_path / "file"
    path.touch()
    real = os.open
    opened: list[object] = []

    def note(name: object, *arguments: int, **more: int) -> int:
        opened.append(name)
        return real(name, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", note)
    check_plain(path, ("-wal",))
    assert "file" not in opened
    (tmp_path / "file-wal").symlink_to(path)
    with pytest.raises(UnsafeFile, match="file-wal"):
        check_plain(path, ("-wal",))
