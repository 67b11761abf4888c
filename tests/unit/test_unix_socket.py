"""Endpoints `unix:`: who may connect, and what is removed for them."""

from __future__ import annotations

import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol

from dialer.errors import BadValue, CannotListen
from dialer.listening import address_of, listen
from dialer.unix_socket import UnixEndpoint, parse
from tests.hostile import as_root


async def open_at(endpoint: str) -> IListeningPort:
    return await listen(reactor, endpoint, Factory.forProtocol(Protocol), "http.endpoint")


async def close(port: IListeningPort) -> None:
    await maybeDeferred(port.stopListening)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    before = os.umask(0)
    yield tmp_path / "api.sock"
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest_twisted.ensureDeferred
async def test_only_the_user_and_the_group_may_connect_unless_the_endpoint_says_otherwise(path: Path) -> None:
    for options, expected in (("", 0o660), (":mode=600", 0o600), (":mode=666:lockfile=0", 0o666)):
        port = await open_at(f"unix:{path}{options}")
        assert mode(path) == expected
        assert address_of(port) == f"unix:{path}"
        await close(port)
        assert not path.exists()
    assert os.umask(0) == 0, "the umask is what it was"


@pytest_twisted.ensureDeferred
async def test_it_has_its_mode_before_anybody_can_connect(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    real = socket.socket.listen

    def note(bound: socket.socket, backlog: int) -> None:
        modes.append(mode(path))
        real(bound, backlog)

    monkeypatch.setattr(socket.socket, "listen", note)
    monkeypatch.delattr(os, "chmod")
    await close(await open_at(f"unix:{path}:mode=600"))
    assert modes == [0o600]


@pytest_twisted.ensureDeferred
async def test_it_serves_connections(path: Path) -> None:
    greeted: Deferred[bytes] = Deferred()

    class Greeting(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(b"hello")  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    class Listener(Protocol):
        def dataReceived(self, data: bytes) -> None:
            greeted.callback(data)

    port = await listen(reactor, f"unix:{path}", Factory.forProtocol(Greeting), "http.endpoint")
    there: Any = UNIXClientEndpoint(reactor, str(path))
    await there.connect(Factory.forProtocol(Listener))
    assert await greeted == b"hello"
    await close(port)


@pytest_twisted.ensureDeferred
async def test_a_socket_that_nobody_listens_on_is_replaced_and_a_live_one_is_not(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    port = await open_at(f"unix:{path}")
    with pytest.raises(CannotListen, match="in use"):
        await open_at(f"unix:{path}")
    assert path.is_socket()
    await close(port)


@pytest.mark.parametrize("kind", ["file", "link to a file", "link to a socket", "folder", "pipe"])
@pytest_twisted.ensureDeferred
async def test_what_is_no_socket_is_neither_removed_nor_followed(path: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
        if kind == "link to a file":
            target.write_text("mine")
        else:
            dead = socket.socket(socket.AF_UNIX)
            dead.bind(str(target))
            dead.close()
    before = path.lstat()
    with pytest.raises(CannotListen, match=r"http\.endpoint.*is no socket"):
        await open_at(f"unix:{path}")
    assert os.path.samestat(path.lstat(), before)
    assert target.exists() == kind.startswith("link")


@pytest_twisted.ensureDeferred
async def test_what_has_its_name_at_the_end_is_removed_only_when_it_is_the_socket_itself(path: Path) -> None:
    port = await open_at(f"unix:{path}")
    path.unlink()
    path.write_text("mine")
    await close(port)
    assert path.read_text() == "mine"
    port = await open_at(f"unix:{path.with_name('other')}")
    path.with_name("other").unlink()
    await close(port)


@pytest_twisted.ensureDeferred
async def test_a_link_that_takes_the_place_of_the_new_socket_is_noticed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").touch(0o600)
    real = os.umask

    def swap(mask: int) -> int:
        if path.is_socket():
            path.unlink()
            path.symlink_to(tmp_path / "secret")
        return real(mask)

    monkeypatch.setattr(os, "umask", swap)
    with pytest.raises(CannotListen, match="something else"):
        await open_at(f"unix:{path}")
    assert mode(tmp_path / "secret") == 0o600


@as_root
@pytest_twisted.ensureDeferred
async def test_a_group_may_connect(path: Path) -> None:
    group = next(each for each in grp.getgrall() if each.gr_gid not in (0, os.getegid()))
    port = await open_at(f"unix:{path}:group={group.gr_name}")
    assert path.stat().st_gid == group.gr_gid
    await close(port)


@pytest.mark.parametrize(
    "options", [":mode=9", ":mode=1777", ":mode=x", ":owner=root", ":group=no-such-group", ":backlog=0", ":backlog=many"]
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_option_is_named(path: Path, options: str) -> None:
    with pytest.raises(BadValue, match=r"http\.endpoint: .*(expected unix:PATH|no group)"):
        await open_at(f"unix:{path}{options}")
    assert not path.exists()


def test_the_syntax_is_that_of_twisted() -> None:
    assert parse(r"unix:/run/a\:b:mode=600") == UnixEndpoint(path=Path("/run/a:b"), mode=0o600)
    assert parse("unix:address=/run/x:backlog=7") == UnixEndpoint(path=Path("/run/x"), backlog=7)
    for wrong in ("unix:", "unix::mode=600"):
        with pytest.raises(ValueError, match="expected unix:PATH"):
            parse(wrong)


@pytest_twisted.ensureDeferred
async def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match="too long"):
        await open_at(f"unix:{tmp_path / ('x' * 120)}")
