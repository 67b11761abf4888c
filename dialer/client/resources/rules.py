"""The methods of `rules`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.rules import CallingRuleObject, NumberRulingObject


class RulesResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        place: str | None = None,
        in_: str | None = None,
        limit: int | None = None,
    ) -> Iterator[CallingRuleObject]:
        """The rows of the calling rules that hold here."""
        return self._pages(ApiCall(method="GET", path="rules", query={"place": place, "in": in_, "limit": limit}))

    def why(
        self,
        *,
        number: str | None = None,
        at: str | None = None,
        time_zone: str | None = None,
        purpose: Literal["sales", "research", "debt", "informational"] | None = None,
        prerecorded: bool | None = None,
    ) -> NumberRulingObject:
        """Whether a number may be called by the calling rules, and when."""
        return self._send(ApiCall(
            method="GET",
            path="rules/why",
            query={"number": number, "at": at, "time_zone": time_zone, "purpose": purpose, "prerecorded": prerecorded},
        ))
