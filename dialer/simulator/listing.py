"""`show channels`, `show calls`, `uuid_dump`: what is on the switch, as FreeSWITCH lists it (recording 36)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dialer.simulator.bus import words
from dialer.simulator.channel import Channel
from dialer.simulator.clock import stamp


def _row(channel: Channel) -> dict[str, str]:
    loopback = channel.family != "sofia"
    codec, bits = ("L16", "128000") if loopback else ("PCMU", "64000")
    heard = loopback or bool(channel.answered or channel.media)
    inbound = channel.family == "loopback-b"
    values = channel.slots.values
    own_number, own_name = values.get("cid_number", ""), values.get("cid_name", "")
    flipped = bool(channel.answered) and not inbound
    running = channel.runner.stack[-1].action if channel.runner.stack else None
    return {
        "uuid": channel.uuid,
        "direction": "inbound" if inbound else "outbound",
        "created": stamp(channel.created),
        "created_epoch": str(channel.created // 1_000_000),
        "name": channel.name,
        "state": channel.state,
        "cid_name": "Outbound Call" if flipped else own_name,
        "cid_num": channel.number if flipped else own_number,
        "ip_addr": "",
        "dest": channel.number,
        "application": running.application if running else "",
        "application_data": running.argument if running else "",
        "dialplan": "xml" if loopback else "",
        "context": "default",
        "read_codec": codec if heard else "",
        "read_rate": "8000" if heard else "",
        "read_bit_rate": bits if heard else "",
        "write_codec": codec if heard else "",
        "write_rate": "8000" if heard else "",
        "write_bit_rate": bits if heard else "",
        "secure": "",
        "hostname": "fs",
        "presence_id": "",
        "presence_data": "",
        "accountcode": channel.variable("accountcode") or "",
        "callstate": channel.callstate,
        "callee_name": own_name if flipped else "Outbound Call",
        "callee_num": own_number if flipped else channel.number,
        "callee_direction": "RECV" if flipped else "",
        "call_uuid": "" if inbound else channel.bonded_to or channel.uuid,
        "sent_callee_name": "",
        "sent_callee_num": "",
        "initial_cid_name": own_name,
        "initial_cid_num": own_number,
        "initial_ip_addr": "",
        "initial_dest": channel.number,
        "initial_dialplan": "xml" if loopback else "",
        "initial_context": "default",
    }


_CALL_COLUMNS = words(
    """uuid direction created created_epoch name state cid_name cid_num ip_addr dest presence_id presence_data
    accountcode callstate callee_name callee_num callee_direction call_uuid hostname sent_callee_name
    sent_callee_num"""
)
_PEER_COLUMNS = words(
    """b_uuid b_direction b_created b_created_epoch b_name b_state b_cid_name b_cid_num b_ip_addr b_dest
    b_presence_id b_presence_data b_accountcode b_callstate b_callee_name b_callee_num b_callee_direction
    b_sent_callee_name b_sent_callee_num call_created_epoch"""
)


def _call_row(channel: Channel) -> dict[str, str]:
    row = _row(channel)
    return {column: row[column] for column in _CALL_COLUMNS} | dict.fromkeys(_PEER_COLUMNS, "")


def show(channels: Iterable[Channel], what: str, *, as_json: bool, count: bool) -> str:
    """The output of `show channels` or `show calls`."""
    found = list(channels)
    if count:
        return f'{{"row_count":{len(found)},"rows":[]}}' if as_json else f"\n{len(found)} total.\n"
    rows = [_call_row(c) if what == "calls" else _row(c) for c in found]
    if as_json:
        if not rows:
            return '{"row_count": 0}\n'
        return json.dumps({"row_count": len(rows), "rows": rows}, separators=(",", ":"), ensure_ascii=False)
    if not rows:
        return "\n0 total.\n"
    lines = [",".join(rows[0])] + [",".join(row.values()) for row in rows]
    return "\n".join(lines) + f"\n\n{len(rows)} total.\n"


def dump(channel: Channel, form: str) -> str:
    """`uuid_dump`: the channel's headers and variables, `json` or plain."""
    bus = channel.switch.bus
    event = "CHANNEL_PARK" if channel.answered else "CHANNEL_PROGRESS" if channel.progress else "CHANNEL_CREATE"
    template = bus.templates[f"{channel.family}/{event}"]
    channel.fill()
    bus.put_time(channel.slots)
    body = template.json(channel.slots) if form == "json" else template.plain(channel.slots)
    return body.decode("utf-8", "surrogateescape").replace(event, "CHANNEL_DATA", 1)
