"""The answer to `show channels as json`."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from dialer.errors import ProtocolError
from dialer.model import LiveChannel

_ANSWERED = frozenset({"ACTIVE", "HELD", "UNHELD"})


def live_channels(listing: str) -> list[LiveChannel]:
    """Read the listing (`recordings/36-show-channels`); there are no `rows` when there is no channel.

    Raises `ProtocolError` when it is not such a listing.
    """
    try:
        rows = orjson.loads(listing).get("rows", [])
        return [_channel(row) for row in rows]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ProtocolError(f"not a list of channels: {listing[:80]!r}") from error


def _channel(row: dict[str, str]) -> LiveChannel:
    epoch = row.get("created_epoch", "")
    return LiveChannel(
        call_uuid=row["uuid"],
        account_code=row.get("accountcode", ""),
        answered=row.get("callstate", "") in _ANSWERED,
        outbound=row.get("direction") == "outbound",
        bonded_to=row.get("call_uuid", ""),
        created_at=datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else None,
    )
