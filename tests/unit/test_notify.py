"""What systemd is told, and what it says."""

from __future__ import annotations

import os
import socket

import pytest
from structlog.testing import capture_logs

from dialer.notify import Notifier, from_environment


@pytest.mark.parametrize("abstract", [False, True])
def test_what_is_told_arrives_as_one_datagram(tmp_path, abstract):
    name = f"@dialer-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(5)
        systemd.bind("\0" + name[1:] if abstract else name)
        Notifier(name).tell("READY=1", "STATUS=dialling")
        assert systemd.recv(4096) == b"READY=1\nSTATUS=dialling"


def test_without_systemd_nobody_is_told():
    assert from_environment({}) == from_environment({"NOTIFY_SOCKET": ""})
    from_environment({}).tell("READY=1")


def test_a_socket_that_is_gone_is_reported_and_no_error(tmp_path):
    with capture_logs() as logged:
        Notifier(str(tmp_path / "nowhere")).tell("READY=1")
    assert logged[0]["told"] == "READY=1"


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_is_for_the_process_that_it_names(more, seconds):
    assert from_environment({"NOTIFY_SOCKET": "/n", **more}).watchdog == seconds
