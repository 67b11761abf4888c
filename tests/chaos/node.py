"""A dialer behind a link that loses packets."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Mapping
from contextlib import closing

from attrs import define, field

from tests.chaos import defective
from tests.harness.network import Link
from tests.harness.node import CONFIG, READY, START, Node
from tests.integration.run_support import BASE, headers
from tests.processes import command


@define(eq=False)
class LinkedNode(Node):
    """`defect` is one of `tests.crash.defects`."""

    link: Link = field(init=False)
    defect: str = field(default="", init=False)

    def configure(self, section: str, values: Mapping[str, object]) -> None:
        """Add one more of those sections to the configuration, before the first start."""
        lines = [f"[[{section}]]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
        with (self.folder / CONFIG).open("a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(lines) + "\n")

    def program(self) -> list[str]:
        """The product, or one with the defect."""
        return [sys.executable, "-m", defective.__name__, self.defect] if self.defect else command()

    def request(self, method: str, path: str, body: str) -> int:
        """An HTTP request; the status."""
        host, _, port = json.loads((self.folder / READY).read_text())["http"].rpartition(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=START)) as connection:
            connection.request(method, BASE + path, body, headers(body=body))
            return connection.getresponse().status
