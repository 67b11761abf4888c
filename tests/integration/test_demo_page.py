"""`dialer demo --page`: the address that it prints signs in, once, to a page that shows the demo."""

from __future__ import annotations

import http.client
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.forks import Forked
from tests.processes import command


def answer(address: str, path: str, cookie: str = "") -> tuple[int, str, str]:
    """Status, the cookie that is set, and the text."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", path, headers={"Cookie": cookie})
        reply = connection.getresponse()
        return reply.status, (reply.getheader("Set-Cookie") or "").partition(";")[0], reply.read().decode()
    finally:
        connection.close()


def test_a_demo_is_shown_in_a_browser_until_it_is_stopped(tmp_path: Path) -> None:
    arguments = command("demo", "--page", "--calls", "3", "--database", "demo.sqlite3")
    process = Forked(arguments, cwd=tmp_path, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        link = urlsplit(next(word for line in process.stdout for word in line.split() if word.startswith("http://")))
        status, cookie, _ = answer(link.netloc, link.path)
        assert (status, cookie.startswith("dialer_session=")) == (303, True)
        status, _, text = answer(link.netloc, "/ui/", cookie)
        assert (status, "demo-1" in text) == (200, True)
        assert answer(link.netloc, link.path)[0] == 410
        next(line for line in process.stdout if "The page stays until Ctrl-C." in line)
        assert answer(link.netloc, "/ui/campaigns/1", cookie)[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(30)
