"""What the tests do in a browser, and what every page of it must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from attrs import define, field

from tests.integration.run_support import PASSWORD, Running, good

CHROMIUM: Final = "chromium"
ARGUMENTS: Final = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"
SERIOUS: Final = ("serious", "critical")


@define(eq=False)
class Installation:
    """A dialer that runs, with the simulator behind it."""

    running: Running
    folder: Path

    @property
    def address(self) -> str:
        return f"http://{self.running.addresses['http']}"

    def link(self, username: str = "admin") -> str:
        """An address that signs in once."""
        out = good(self.folder, "user", "sign-in", username)
        return f"{self.address}/ui/link/{out.strip().rpartition('/')[2]}"

    def campaign(self, name: str, contacts: int = 0, **given: str) -> int:
        """A new campaign with so many contacts; its id."""
        wanted = {"name": name, "aleg_gateway": "1", "voipapp": "1", "voipapp_data": "2000", "frequency": "600", **given}
        status, made = self.running.request("POST", "campaign/", urlencode(wanted))
        assert status == 200, made
        if contacts:
            self.add(made["id"], contacts)
        return int(made["id"])

    def add(self, campaign: int, contacts: int) -> None:
        """Contacts of a campaign, which has one phonebook of its own with the same id."""
        numbers = ",".join(f"+1555{campaign:03}{index:04}" for index in range(contacts))
        status, told = self.running.request(
            "POST", "bulkcontact/", urlencode({"phonebook_id": campaign, "phoneno_list": numbers})
        )
        assert status == 200, told


@define(eq=False)
class Window:
    """A window of the browser. Whatever it says on its console, and whatever it asks of others, is a fault."""

    page: Any
    address: str
    faults: list[str] = field(factory=list, init=False)
    awaited: tuple[str, ...] = field(default=(), init=False)
    """What may be said: of answers that a test asks for."""

    def __attrs_post_init__(self) -> None:
        self.page.on("console", lambda message: self._said(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("dialog", lambda dialog: self._asked_back(dialog))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(each in text for each in self.awaited):
            self.faults.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((f"{self.address}/", "data:")):
            self.faults.append(f"request: {url}")

    def _asked_back(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def go(self, path: str = "/ui/") -> None:
        self.page.goto(self.address + path)

    def sign_in(self, username: str = "admin", password: str = PASSWORD) -> None:
        self.go()
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_label("Password").press("Enter")
        self.page.get_by_role("heading", name="Campaigns").wait_for()

    def send_file(self, path: str, name: str, content: bytes) -> None:
        """Send a file by the form that stands there."""
        self.go(path)
        self.page.get_by_label("File", exact=True).set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
        self.page.get_by_role("button", name="Send the file").click()
        self.page.get_by_text("The file is here.").wait_for()

    def violations(self) -> list[str]:
        """What axe-core takes for serious."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("async () => (await axe.run(document)).violations")
        return [
            f"{self.page.url}: {each['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
            for each in found
            if each["impact"] in SERIOUS
            for node in each["nodes"]
        ]


@contextmanager
def window(chromium: Any, installation: Installation, **options: Any) -> Iterator[Window]:
    """A window of somebody whom the dialer has not seen yet; it has done nothing wrong at the end."""
    context = chromium.new_context(viewport=options.pop("viewport", {"width": 1280, "height": 900}), **options)
    context.set_default_timeout(20_000)
    try:
        found = Window(context.new_page(), installation.address)
        yield found
        assert found.faults == [], found.faults
    finally:
        context.close()
