"""The methods of `switches`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.installation import SwitchObject


class AsyncSwitchesResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(self, *, drained: bool | None = None, limit: int | None = None) -> AsyncIterator[SwitchObject]:
        """The switches of the installation, in the order of their names."""
        return self._pages(ApiCall(method="GET", path="switches", query={"drained": drained, "limit": limit}))

    def get(self, switch: str, /) -> Deferred[SwitchObject]:
        """One switch."""
        return self._send(ApiCall(method="GET", path="switches/{switch}", ids={"switch": switch}))

    def drain(self, switch: str, /) -> Deferred[SwitchObject]:
        """Have no dialer begin calls on a switch, restarted or not; those that it has go on."""
        return self._send(ApiCall(method="POST", path="switches/{switch}/drain", ids={"switch": switch}))

    def resume(self, switch: str, /) -> Deferred[SwitchObject]:
        """Have dialers begin calls on a switch again."""
        return self._send(ApiCall(method="POST", path="switches/{switch}/resume", ids={"switch": switch}))
