"""A dialer behind a link that loses packets."""

from __future__ import annotations

import http.client
import json
import sys
from contextlib import closing

from attrs import define, field

from tests.chaos import defective
from tests.harness.network import Link
from tests.harness.node import READY, START, Node
from tests.integration.run_support import BASE, headers
from tests.processes import command


@define(eq=False)
class LinkedNode(Node):
    """`defect` is one of `tests.crash.defects`."""

    link: Link = field(init=False)
    defect: str = field(default="", init=False)

    def program(self) -> list[str]:
        """The product, or one with the defect."""
        return [sys.executable, "-m", defective.__name__, self.defect] if self.defect else command()

    def request(self, method: str, path: str, body: str) -> int:
        """An HTTP request; the status."""
        host, _, port = json.loads((self.folder / READY).read_text())["http"].rpartition(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=START)) as connection:
            connection.request(method, BASE + path, body, headers(body=body))
            return connection.getresponse().status
