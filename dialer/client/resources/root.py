"""The methods beside those of the resources.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.about import ProblemKindsObject
    from dialer.client.objects.me import MeObject
    from dialer.client.objects.statistics import OverviewObject


class RootResource(Resource):
    """Each method waits for its answer."""

    def me(self) -> MeObject:
        """Who asks, and what the login is good for."""
        return self._send(ApiCall(method="GET", path="me"))

    def statistics(self, *, from_: str | None = None, to: str | None = None) -> OverviewObject:
        """All your campaigns together: how many, their contacts, and the calls of the last day, or of up to 31 days."""
        return self._send(ApiCall(method="GET", path="statistics", query={"from": from_, "to": to}))

    def document(self) -> dict[str, Any]:
        """This document."""
        return self._send(ApiCall(method="GET", path="openapi.json"))

    def problems(self) -> ProblemKindsObject:
        """The kinds of problems that a request can meet with."""
        return self._send(ApiCall(method="GET", path="problems"))
