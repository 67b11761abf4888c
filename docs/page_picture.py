"""Make the picture of the page that the README opens with: `python docs/page_picture.py [FILE.png]`.

A service on the simulator is started; a headless chromium signs in by its link, and takes the picture after a while. It needs
Debian's `chromium` and the extra `browser`.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

PICTURE: Final = Path(__file__).parent / "page.png"
PASSWORD: Final = "for a picture only"
CAMPAIGNS: Final = (
    ("Autumn renewal", 240, 420),
    ("Appointment reminders", 90, 160),
    ("Survey north", 600, 900),
    ("Payment notices", 60, 90),
)
"""Names, calls per minute, contacts."""
PAUSED: Final = "Payment notices"
CALLED_FOR: Final = 45.0
"""Seconds before the picture."""
WIDTH, HEIGHT = 1400, 860
ARGUMENTS: Final = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def dialer(*arguments: object) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "dialer", *map(str, arguments)]


def post(address: str, path: str, **given: object) -> Any:
    """A request of the API of 2011."""
    login = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    url = f"{address}/api/dialer_campaign/{path}"
    request = urllib.request.Request(url, urlencode(given).encode(), {"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def furnish(address: str) -> None:
    """Campaigns that call."""
    for number, (name, frequency, contacts) in enumerate(CAMPAIGNS, start=1):
        made = post(
            address, "campaign/", name=name, frequency=frequency, aleg_gateway=1, voipapp=1, voipapp_data=2000, maxretry=1
        )
        numbers = ",".join(f"1555{number}{index:06}" for index in range(contacts))
        post(address, "bulkcontact/", phonebook_id=made["id"], phoneno_list=numbers)


def take(link: str, file: Path) -> None:
    """The picture itself."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=shutil.which("chromium"),
            args=ARGUMENTS,
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=1.5,
        )
        page = context.new_page()
        page.goto(link)
        time.sleep(2)
        furnish(link.partition("/ui/")[0])
        time.sleep(CALLED_FOR)
        page.get_by_role("button", name=f"Pause {PAUSED}").click()
        page.mouse.move(0, 0)
        time.sleep(4)
        page.evaluate("document.activeElement.blur(); document.getElementById('notice').replaceChildren()")
        page.screenshot(path=str(file))
        context.close()


def main(file: Path) -> None:
    """Make it. Raises when anything fails."""
    with tempfile.TemporaryDirectory() as there:
        folder, password = Path(there) / "dialer", Path(there) / "password"
        password.write_text(PASSWORD)
        subprocess.run(dialer("init", folder, "--simulator", "--password-file", password), check=True)
        config = folder / "dialer.toml"
        config.write_text(
            re.sub(r"^\[http\]$", '[http]\nendpoint = "tcp:0:interface=127.0.0.1"', config.read_text(), flags=re.MULTILINE)
        )
        process = subprocess.Popen(dialer("run", "-c", config), stdout=subprocess.PIPE, text=True)
        try:
            lines = process.stdout or ()
            take(next(word for line in lines for word in line.split() if word.startswith("http://")), file)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
