"""A real browser, and a dialer with the built-in simulator to look at. They need Debian's chromium, and the extra `browser`.

Where that is missing, these tests are left out; with CI in the environment, that is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.browser.driving import ARGUMENTS, CHROMIUM, Installation
from tests.integration.run_support import new_folder, started

if not os.environ.get("CI"):
    pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
    if shutil.which(CHROMIUM) is None:
        pytest.skip("there is no chromium", allow_module_level=True)


class _Receiver(BaseHTTPRequestHandler):
    """Takes every event."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="session")
def receiver() -> Iterator[str]:
    """Where a webhook may post to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/events"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A service on the simulator, with its superuser."""
    folder = new_folder(tmp_path_factory.mktemp("browser") / "installation")
    file = folder / "dialer.toml"
    file.write_text(re.sub(r"^\[webhooks\]$", '[webhooks]\nallow = ["127.0.0.0/8"]', file.read_text(), flags=re.MULTILINE))
    with started(folder) as running:
        yield Installation(running, folder)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The program, once for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
