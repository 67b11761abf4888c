"""Makes `dialer/simulator/templates.json` from the recordings: `python -m tests.unit.simulator.make_templates`.

A template is a recorded event whose headers that differ from call to call are replaced by slots. An entry is
`[name, text]`, with `{slot}` in the text; `["?name", slot]` is a header that is there only when the slot has a value;
`["*group", ""]` stands for any number of headers that differ from call to call. As most entries occur in many templates,
the file lists each entry once, and a template is a list of ranges `[first, last]` of that list.
"""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

from tests.unit.simulator.recordings import Headers, events, frames, parse_plain

TARGET = Path(__file__).resolve().parents[3] / "dialer" / "simulator" / "templates.json"

SOURCES = (
    # recording, how the call ended (None: no channel)
    ("10-json-answer", "local"),
    ("10-json-answer2s-remote-bye", "remote"),
    ("10-json-busy", "refused"),
    ("10-json-noanswer", "cancelled"),
    ("10-json-early-media", "local"),
    ("10-json-invalid-gateway", ""),
    ("10-json-loopback-answer", "local"),
    ("10-json-loopback-busy", "refused"),
    ("10-json-loopback-noanswer", "cancelled"),
    ("52-ringing-busy", "declined"),
    ("50-dtmf", "local"),
)

TIMES = {
    "Profile-Created-Time": "created",
    "Channel-Created-Time": "created",
    "Channel-Answered-Time": "answered",
    "Channel-Progress-Time": "progress",
    "Channel-Progress-Media-Time": "media",
    "Channel-Hangup-Time": "hangup",
    "Channel-Bridged-Time": "bridged",
}
FIXED = {
    "Core-UUID": "core_uuid",
    "Event-Date-Local": "date_local",
    "Event-Date-GMT": "date_gmt",
    "Event-Date-Timestamp": "now",
    "Event-Sequence": "sequence",
    "Channel-Call-State": "callstate",
    "Answer-State": "answer_state",
    "Channel-Name": "channel_name",
    "Caller-Channel-Name": "channel_name",
    "Channel-Channel-Name": "channel_name",
    "variable_channel_name": "channel_name",
    "Hangup-Cause": "cause",
    "variable_hangup_cause": "cause",
    "variable_hangup_cause_q850": "q850",
    "variable_sip_term_status": "sip_status",
    "variable_sip_invite_failure_status": "sip_status",
    "variable_sip_invite_failure_phrase": "sip_phrase",
    "variable_sip_term_cause": "q850",
    "variable_session_id": "session_id",
    "variable_sip_profile_name": "profile",
    "variable_sip_outgoing_contact_uri": "contact_uri",
    "variable_originate_early_media": "early",
    "variable_sip_destination_url": "sip_url",
    "variable_sip_req_uri": "sip_uri",
    "variable_sip_to_uri": "sip_uri",
    "variable_sip_to_host": "sip_host",
    "variable_sip_full_from": "sip_from",
    "variable_sip_call_id": "sip_call_id",
    "Original-Channel-Call-State": "callstate_before",
    "variable_other_loopback_leg_uuid": "other_uuid",
    "Job-UUID": "job_uuid",
    "Job-Command": "job_command",
    "Up-Time": "uptime",
    "Uptime-msec": "uptime_ms",
    "Session-Count": "session_count",
    "Max-Sessions": "max_sessions",
    "Session-Per-Sec": "sps",
    "Session-Per-Sec-Last": "sps_last",
    "Session-Per-Sec-Max": "sps_max",
    "Session-Per-Sec-FiveMin": "sps_max",
    "Session-Since-Startup": "sessions",
    "Session-Peak-Max": "peak",
    "Session-Peak-FiveMin": "peak",
}
for _kind in ("start", "profile_start", "answer", "progress", "progress_media", "end"):
    _slot = {"start": "created", "profile_start": "created", "answer": "answered", "progress": "progress"}.get(
        _kind, {"progress_media": "media", "end": "hangup"}.get(_kind, "")
    )
    FIXED |= {
        f"variable_{_kind}_stamp": f"{_slot}_stamp",
        f"variable_{_kind}_epoch": f"{_slot}_s",
        f"variable_{_kind}_uepoch": _slot,
    }
for _name, _slot in (
    ("duration", "total"),
    ("flow_bill", "flow"),
    ("bill", "bill"),
    ("progress", "ring"),
    ("progress_media", "mediawait"),
    ("answer", "wait"),
):
    FIXED |= {
        f"variable_{_name}{'' if _name == 'duration' else 'sec'}": f"{_slot}_s",
        f"variable_{'mduration' if _name == 'duration' else _name + 'msec'}": f"{_slot}_ms",
        f"variable_{'uduration' if _name == 'duration' else _name + 'usec'}": f"{_slot}_us",
    }

# What differs from call to call, but need not in a simulator: the first recorded value is the default.
FREE = re.compile(
    r"variable_(sip_(to|from)_tag|sip_cseq|rtp_use_ssrc|(local|remote)_media_port|rtp_local_sdp_str|switch_r_sdp"
    r"|sip_(full|recover)_via|sip_(reply|network|to|contact)_port|sip_recover_contact|sip_contact_uri|sip_full_to"
    r"|rtp_audio_(in|out)_\w+)|Idle-CPU"
)
OPTIONAL = {
    "variable_sip_gateway_name": "gateway",
    "variable_sip_from_display": "cid_name",
    "variable_pre_transfer_caller_id_name": "cid_name",
    "Caller-Orig-Caller-ID-Name": "cid_name",
    "Channel-Orig-Caller-ID-Name": "cid_name",
    "Job-Command-Arg": "job_arg",
    "variable_answer_stamp": "answered_stamp",
    "variable_progress_stamp": "progress_stamp",
    "variable_progress_media_stamp": "media_stamp",
}
ORIGINATE_VARIABLES = re.compile(
    r"variable_(origination_\w+|originate_timeout|ignore_early_media|campaign_id)$",
)
LATER_VARIABLES = re.compile(
    r"variable_(current_application(_data|_response)?|socket_host|current_loop|total_loops|playback_\w+|foo|big)$",
)
APPLICATION = re.compile(r"Application(-Data|-Response|-UUID)?$")
GROUPS = (
    (ORIGINATE_VARIABLES, "*variables"),
    (LATER_VARIABLES, "*later"),
    (re.compile(r"variable_last_(app|arg)$"), "*last_app"),
    (APPLICATION, "*application"),
    (re.compile(r"DTMF-"), "*application"),
    (re.compile(r"loopback-b variable_endpoint_disposition$"), "*later"),
)


class Maker:
    """Turns recorded headers into template entries; keeps the first value of every free header."""

    def __init__(self) -> None:
        self.defaults: dict[str, str] = {}
        self.templates: dict[str, list[list[str]]] = {}

    def entries(self, headers: Headers) -> list[list[str]]:
        values = dict(headers)
        uuid = values.get("Unique-ID", "")
        number = values.get("Caller-Destination-Number", "")
        cid = values.get("Caller-Orig-Caller-ID-Number", "")
        entries: list[list[str]] = []
        for name, value in headers:
            entry = self.entry(name, value, family=family_of(values), uuid=uuid, number=number, cid=cid)
            if not (entry[0].startswith("*") and entry in entries):
                entries.append(entry)
        return self.with_later(entries)

    def entry(self, name: str, value: str, *, family: str, uuid: str, number: str, cid: str) -> list[str]:
        for pattern, group in GROUPS:
            if pattern.match(name) or pattern.match(f"{family} {name}"):
                return [group, ""]
        if name in OPTIONAL:
            return ["?" + name, OPTIONAL[name]]
        if name.endswith(("Caller-ID-Name", "Callee-ID-Name")) and value == "Dialer":
            return ["?" + name, "cid_name"]
        if name in FIXED:
            return [name, "{" + FIXED[name] + "}"]
        _, _, tail = name.partition("-")
        if name.startswith(("Caller-", "Channel-")) and tail in TIMES:
            return [name, "{" + TIMES[tail] + "}"]
        if uuid and value == uuid:
            return [name, "{uuid}"]
        if number and value == number:
            return [name, "{number}"]
        if cid and value == cid:
            return [name, "{cid_number}"]
        if FREE.match(name):
            slot = name.removeprefix("variable_").replace("-", "_").lower()
            self.defaults.setdefault(slot, value)
            return [name, "{" + slot + "}"]
        return [name, self.text(name, value, number=number, cid=cid)]

    @staticmethod
    def text(name: str, value: str, *, number: str, cid: str) -> str:
        if name in ("Content-Length", "_body"):
            return {"Content-Length": "{body_length}", "_body": "{body}"}[name]
        if name == "variable_proto_specific_hangup_cause":
            return "sip:{sip_status}"
        if name.startswith("variable_"):
            value = value.replace("{", "(").replace("}", ")")
            for found, slot in ((number, "{number}"), (cid, "{cid_number}")):
                if found:
                    value = re.sub(rf"(?<!\w){found}(?!\w)", slot, value)
        return value

    @staticmethod
    def with_later(entries: list[list[str]]) -> list[list[str]]:
        """A place for the variables that an application may set, in every template that carries variables."""
        names = [name for name, _ in entries]
        if "*later" in names or not any(name == "variable_uuid" for name in names):
            return entries
        ends = [i for i, name in enumerate(names) if name in ("variable_hangup_cause", "*application")]
        place = ends[0] if ends else len(entries)
        return [*entries[:place], ["*later", ""], *entries[place:]]

    def add(self, key: str, headers: Headers) -> None:
        self.templates.setdefault(key, self.entries(headers))


def family_of(values: dict[str, str]) -> str:
    """The kind of channel that an event tells of."""
    channel = values.get("Channel-Name", "")
    if channel == "N/A":
        return "none"
    return "loopback" + channel[-2:] if channel.startswith("loopback/") else "sofia"


def key_of(headers: Headers, ending: str) -> str:
    """The name of the template for an event: family, event, what tells its variants apart."""
    values = dict(headers)
    name = values["Event-Name"]
    if "Unique-ID" not in values:
        return f"core/{name}"
    family = family_of(values)
    detail = {"CHANNEL_STATE": values["Channel-State"], "CHANNEL_CALLSTATE": values["Channel-Call-State"]}.get(name, "")
    if name in ("CHANNEL_CREATE", "CHANNEL_ORIGINATE", "CHANNEL_STATE") and "Hangup-Cause" in values:
        detail = detail or "late"
    early = "early" if name == "CHANNEL_ANSWER" and values["Channel-Call-State"] == "EARLY" else ""
    parts = [family, name, detail, early, ending if "Hangup-Cause" in values else ""]
    return "/".join(part for part in parts if part)


def make() -> Maker:
    """All templates, and the default values of their slots."""
    maker = Maker()
    for recording, ending in SOURCES:
        for _, headers in events(recording):
            maker.add(key_of(headers, ending), headers)
    connect = next(f for f in frames("21-outbound-async-full-linger") if b"CHANNEL_DATA" in f.head)
    maker.templates["sofia/CHANNEL_DATA"] = with_caller_name(maker.entries(parse_plain(connect.head)))
    for _, headers in events("43-fsctl-shutdown"):
        if dict(headers)["Event-Name"] == "SHUTDOWN":
            maker.add("core/SHUTDOWN", headers)
    # While the call goes on, CHANNEL_EXECUTE_COMPLETE has the headers of CHANNEL_EXECUTE (recording 21) under its own name.
    began, ended = (maker.templates[f"sofia/CHANNEL_EXECUTE{tail}"] for tail in ("", "_COMPLETE/local"))
    told = [e for e in ended if e[0] == "Event-Name" or e[0].startswith("Event-Calling-")]
    maker.templates["sofia/CHANNEL_EXECUTE_COMPLETE"] = [next((t for t in told if t[0] == e[0]), e) for e in began]
    # No recording has a bridge; its events are like those of a channel that is parked, seen on FreeSWITCH 1.10.12.
    for family, name in itertools.product(("sofia", "loopback-a"), ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE")):
        parked = maker.templates[f"{family}/CHANNEL_PARK"]
        maker.templates[f"{family}/{name}"] = [[n, name] if n == "Event-Name" else [n, text] for n, text in parked]
    loopback = maker.templates["loopback-a/CHANNEL_EXECUTE"]
    maker.templates["loopback-a/CHANNEL_EXECUTE_COMPLETE"] = [next((t for t in told if t[0] == e[0]), e) for e in loopback]
    return maker


def with_caller_name(entries: list[list[str]]) -> list[list[str]]:
    """The entries of a call that had no caller id name, with the places where the name stands when there is one."""
    before = {
        "Channel-Orig-Caller-ID-Number": "?Channel-Orig-Caller-ID-Name",
        "Channel-Callee-ID-Number": "?Channel-Callee-ID-Name",
        "Caller-Orig-Caller-ID-Number": "?Caller-Orig-Caller-ID-Name",
        "Caller-Callee-ID-Number": "?Caller-Callee-ID-Name",
        "variable_sip_full_from": "?variable_sip_from_display",
        "variable_pre_transfer_caller_id_number": "?variable_pre_transfer_caller_id_name",
    }
    return [e for entry in entries for e in ([[before[entry[0]], "cid_name"]] if entry[0] in before else []) + [entry]]


def ranges(numbers: list[int]) -> list[list[int]]:
    """Runs of consecutive numbers as `[first, last]`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def render() -> str:
    """The text of the file."""
    maker = make()
    index: dict[tuple[str, ...], int] = {}
    templates = []
    for key, entries in sorted(maker.templates.items(), key=lambda item: -len(item[1])):
        numbers = [index.setdefault(tuple(entry), len(index)) for entry in entries]
        templates.append(f"  {json.dumps(key)}: {json.dumps(ranges(numbers), separators=(',', ':'))}")
    defaults = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(maker.defaults.items()))
    entries = ",\n".join("  " + json.dumps(entry) for entry in index)
    rows = ",\n".join(sorted(templates))
    return f'{{\n "defaults": {{\n{defaults}\n }},\n "entries": [\n{entries}\n ],\n "templates": {{\n{rows}\n }}\n}}\n'


if __name__ == "__main__":
    TARGET.write_text(render())
