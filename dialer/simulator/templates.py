"""Events as prebuilt texts with slots: an event is one substitution, whatever the number of its headers.

The templates are recorded events (`templates.json`, see there how an entry reads). At 300 calls per second, building
each event from its headers would cost more than everything else the simulator does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib import resources

from attrs import define, frozen

from dialer.simulator.wire import json_text, plain_text, to_bytes

_SLOT = re.compile(r"\{(\w+)\}")


def _fill_in(text: str, escape: str) -> str:
    """The text of an entry as a `%` format: `{slot}` becomes `%(slot)s`, what is between is escaped for the format."""
    encode = json_text if escape == "json" else plain_text
    if not text:
        return encode(text)
    parts = _SLOT.split(text)
    return "".join(
        f"%({part})s" if i % 2 else (encode(part).replace("%", "%%") if part else "") for i, part in enumerate(parts)
    )


@frozen
class Template:
    """An event with slots. Rendering takes the values of every slot, already encoded for the format."""

    entries: tuple[tuple[str, str], ...]

    @cached_property
    def _json(self) -> str:
        parts = []
        for name, text in self.entries:
            if name[0] in "?*":
                parts.append(f"%({name})s")
            else:
                parts.append(f',"{name}":"{_fill_in(text, "json")}"')
        return "{" + "".join(parts)[1:] + "}"

    @cached_property
    def _plain(self) -> str:
        parts = []
        for name, text in self.entries:
            if name[0] in "?*":
                parts.append(f"%({name})s")
            elif name == "_body":
                parts.append("\n%(body)s")
            else:
                parts.append(f"{name}: {_fill_in(text, 'plain')}\n")
        return "".join(parts) + ("" if self.entries[-1][0] == "_body" else "\n")

    def json(self, slots: Slots) -> bytes:
        """The event as a JSON object."""
        return to_bytes(self._json % slots.encoded)

    def plain(self, slots: Slots) -> bytes:
        """The event as a plain block with its empty line, and its body."""
        return to_bytes(self._plain % slots.encoded_plain())

    @property
    def names(self) -> list[str]:
        """The names of the headers that are always there."""
        return [name for name, _ in self.entries if name[0] not in "?*"]


@frozen
class Templates:
    """All templates by key, such as `sofia/CHANNEL_HANGUP_COMPLETE/refused`; the default values of the slots."""

    by_key: dict[str, Template]
    defaults: dict[str, str]
    optional: Mapping[str, tuple[str, ...]]
    base: dict[str, str]

    def __getitem__(self, key: str) -> Template:
        """The template of that name; where no recording covers a case, the nearest one: the same event with another
        detail or ending."""
        found = self.by_key.get(key)
        if found is None:
            family, event = key.split("/")[:2]
            tails = key.split("/")[2:]
            names = [name for name in self.by_key if name.split("/")[:2] == [family, event]]
            if not names:
                names = [name for name in self.by_key if name.split("/")[1] == event]
            best = max(names, key=lambda name: (sum(tail in name.split("/")[2:] for tail in tails), -len(name)))
            found = self.by_key[key] = self.by_key[best]
        return found


@cache
def load() -> Templates:
    """The templates of the package. They are never changed, so one copy serves every simulator of the process."""
    data = json.loads(resources.files(__package__).joinpath("templates.json").read_text())
    entries = [(name, text) for name, text in data["entries"]]
    by_key = {
        key: Template(tuple(entries[i] for first, last in ranges for i in range(first, last + 1)))
        for key, ranges in data["templates"].items()
    }
    slots = {slot for _, text in entries for slot in _SLOT.findall(text)}
    optional: dict[str, list[str]] = {}
    for name, slot in entries:
        if name[0] == "?":
            optional.setdefault(slot, []).append(name)
    base = dict.fromkeys(slots, "") | {name: "" for name, _ in entries if name[0] in "?*"}
    base |= {slot: json_text(value) for slot, value in data["defaults"].items()}
    return Templates(by_key, data["defaults"], {slot: tuple(names) for slot, names in optional.items()}, base)


@define
class Slots:
    """The values that fill templates: encoded for JSON as they are set, for plain when a plain event is made."""

    templates: Templates
    values: dict[str, str]
    groups: dict[str, dict[str, str]]
    encoded: dict[str, str]

    @classmethod
    def empty(cls, templates: Templates) -> Slots:
        """No values but the defaults."""
        return cls(templates, {}, {}, dict(templates.base))

    def put(self, slot: str, value: str) -> None:
        """Set a slot; an optional header of that slot appears with it."""
        self.values[slot] = value
        encoded = self.encoded[slot] = json_text(value)
        for name in self.templates.optional.get(slot, ()):
            self.encoded[name] = f',"{name[1:]}":"{encoded}"' if value else ""

    def put_safe(self, values: Mapping[str, str]) -> None:
        """Set several slots to values that need no escape and make no header appear: numbers, dates, UUIDs."""
        self.values.update(values)
        self.encoded.update(values)

    def put_group(self, group: str, headers: Mapping[str, str]) -> None:
        """Set the headers that stand in a group's place."""
        self.groups[group] = dict(headers)
        self.encoded[group] = _json_headers(headers.items())

    def encoded_plain(self) -> dict[str, str]:
        """All slots encoded for a plain event."""
        values = self.templates.defaults | self.values
        encoded = self.templates.base | {slot: plain_text(value) for slot, value in values.items()}
        encoded["body"] = values.get("body", "")
        for slot, value in values.items():
            for name in self.templates.optional.get(slot, ()):
                encoded[name] = f"{name[1:]}: {plain_text(value)}\n" if value else ""
        for group, headers in self.groups.items():
            encoded[group] = "".join(f"{name}: {plain_text(value)}\n" for name, value in headers.items())
        return encoded


def _json_headers(headers: Iterable[tuple[str, str]]) -> str:
    return "".join(f',"{json_text(name)}":"{json_text(value)}"' for name, value in headers)
