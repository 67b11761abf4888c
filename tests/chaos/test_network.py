"""The network between the processes does what the disturbances ask of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.harness.network import LOCAL, Link, Network
from tests.processes import lasting_port

SOON = 10.0
NOT_YET = 0.2


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture
def switch() -> Iterator[socket.socket]:
    with closing(socket.create_server((LOCAL, 0))) as listener:
        listener.settimeout(SOON)
        yield listener


@pytest.fixture
def link(network: Network, switch: socket.socket) -> Link:
    return network.link(switch.getsockname()[1], lasting_port())


@contextmanager
def connected(link: Link, switch: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A dialer and the switch, connected."""
    with closing(socket.create_connection((LOCAL, link.switch_port), SOON)) as dialer:
        peer = switch.accept()[0]
        with closing(peer):
            peer.settimeout(SOON)
            yield dialer, peer


def hears_nothing(peer: socket.socket) -> bool:
    """True when nothing comes, no end either."""
    peer.settimeout(NOT_YET)
    try:
        peer.recv(1)
    except TimeoutError:
        return True
    finally:
        peer.settimeout(SOON)
    return False


def test_bytes_and_ends_pass_in_both_directions(link, switch):
    with connected(link, switch) as (dialer, peer):
        dialer.sendall(b"to the switch")
        assert peer.recv(100) == b"to the switch"
        peer.sendall(b"to the dialer")
        assert dialer.recv(100) == b"to the dialer"
        peer.close()
        assert dialer.recv(100) == b""


def test_a_link_is_open_while_the_dialer_has_a_connection_that_nobody_has_broken(link, switch):
    assert not link.is_open()
    with connected(link, switch) as (dialer, peer):
        dialer.sendall(b"hello")
        assert peer.recv(100) == b"hello"  # the network has seen both ends
        assert link.is_open()
        link.silence()
        assert link.is_open()
        link.reset()
        assert not link.is_open()


def test_calls_come_to_the_dialer(network, switch):
    with closing(socket.create_server((LOCAL, 0))) as dialer:
        link = network.link(lasting_port(), dialer.getsockname()[1])
        with closing(socket.create_connection((LOCAL, link.outbound_port), SOON)) as call, closing(dialer.accept()[0]) as peer:
            call.sendall(b"connect")
            assert peer.recv(100) == b"connect"


def test_what_was_sent_in_silence_arrives_in_order_when_the_link_heals(link, switch):
    with connected(link, switch) as (dialer, peer):
        link.silence()
        dialer.sendall(b"one ")
        peer.sendall(b"three")
        assert hears_nothing(peer)
        assert hears_nothing(dialer)
        dialer.sendall(b"two")
        assert hears_nothing(peer)
        link.heal()
        assert peer.recv(7, socket.MSG_WAITALL) == b"one two"
        assert dialer.recv(5, socket.MSG_WAITALL) == b"three"


def test_a_connection_that_was_opened_in_silence_is_made_when_the_link_heals(link, switch):
    link.silence()
    switch.settimeout(NOT_YET)
    with closing(socket.create_connection((LOCAL, link.switch_port), SOON)) as dialer:
        dialer.sendall(b"hello")
        with pytest.raises(TimeoutError):
            switch.accept()
        link.heal()
        switch.settimeout(SOON)
        with closing(switch.accept()[0]) as peer:
            assert peer.recv(100) == b"hello"


def test_held_bytes_arrive_after_their_sender_has_died(link, switch):
    with connected(link, switch) as (dialer, peer):
        link.hold()
        dialer.sendall(b"originate")
        peer.sendall(b"event")
        assert dialer.recv(100) == b"event"
        dialer.close()
        assert hears_nothing(peer)
        assert link.held() == b"originate"
        with connected(link, switch) as (other, other_peer):
            other.sendall(b"new")
            assert other_peer.recv(100) == b"new"
        link.heal()
        assert peer.recv(100, socket.MSG_WAITALL) == b"originate"
        assert link.held() == b""


def test_a_reset_breaks_what_is_open_and_loses_what_was_kept_back(link, switch):
    with connected(link, switch) as (dialer, peer):
        dialer.sendall(b"known at both ends")
        assert peer.recv(100) == b"known at both ends"
        link.silence()
        dialer.sendall(b"lost")
        link.reset()
        for end in (dialer, peer):
            with pytest.raises(ConnectionResetError):
                end.recv(100)
        with connected(link, switch) as (other, other_peer):
            other.sendall(b"new")
            assert other_peer.recv(100) == b"new"


def test_where_nobody_listens_the_connection_breaks(network):
    link = network.link(lasting_port(), lasting_port())
    with pytest.raises(ConnectionResetError), closing(socket.create_connection((LOCAL, link.switch_port), SOON)) as dialer:
        dialer.recv(1)
