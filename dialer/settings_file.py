"""Writes what `dialer.settings` declares: the configuration file, and the tables of the documentation."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from attrs import NOTHING, Attribute, fields_dict

from dialer.config import section
from dialer.settings import DECLARED, Config, Declaration

WIDTH = 100
HEADER = """\
The configuration of a dialer. A setting behind a hash mark shows the default; take the mark away to change it.
What is marked (live) is read again on SIGHUP, the rest when the dialer is started."""

Values = Mapping[str, Mapping[str, object]]


def settings_file(values: Values) -> str:
    """The text of a file with `values` set: section, setting, value. Sections that it could also have are commented out.

    Raises `KeyError` for a value that is no setting.
    """
    unknown = {f"{name}.{key}" for name, some in values.items() for key in some} - set(known_settings())
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    blocks = [_comment(HEADER)]
    for name, attribute in fields_dict(Config).items():
        blocks.append("\n".join(_section(name, attribute.default, values.get(name))))
    return "\n\n".join(blocks) + "\n"


def known_settings() -> list[str]:
    """Every setting, as `section.name`."""
    return [f"{name}.{key}" for name in fields_dict(Config) for key in fields_dict(section(name))]


def settings_tables() -> str:
    """Every setting in Markdown, a table for each section."""
    blocks = []
    for name, whole in fields_dict(Config).items():
        rows = ["| setting | default | unit | live | |", "|---|---|---|---|---|"]
        for key, attribute in fields_dict(section(name)).items():
            declaration: Declaration = attribute.metadata[DECLARED]
            default = "required" if attribute.default is NOTHING else f"`{toml(attribute.default)}`"
            live = "yes" if declaration.live else ""
            rows.append(f"| `{key}` | {default} | {declaration.unit} | {live} | {declaration.text} |")
        heading = f"`[[{name}]]`" if whole.default == () else f"`[{name}]`"
        blocks.append("\n".join([f"{heading}: {' '.join((section(name).__doc__ or '').split())}", "", *rows]))
    return "\n\n".join(blocks) + "\n"


def toml(value: object) -> str:
    """A value in TOML. Strings become basic strings in ASCII; a lone surrogate, which TOML cannot hold, is a `ValueError`."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return '"' + "".join(map(_escaped, value)) + '"'
        case Sequence():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            raise TypeError(f"no TOML for {value!r}")


def _section(name: str, default: object, values: Mapping[str, object] | None) -> Iterator[str]:
    header = f"[[{name}]]" if default == () else f"[{name}]"
    left_out = values is None and default in ((), None)
    yield _comment(section(name).__doc__ or "")
    yield f"#{header}" if left_out else header
    for key, attribute in fields_dict(section(name)).items():
        yield ""
        yield _comment(_explanation(attribute))
        if values is not None and key in values:
            yield f"{key} = {toml(values[key])}"
        else:
            yield f"#{key} = {toml('' if attribute.default is NOTHING else attribute.default)}"


def _explanation(attribute: Attribute[object]) -> str:
    declared: Declaration = attribute.metadata[DECLARED]
    unit = f" Unit: {declared.unit}." if declared.unit else ""
    default = " Required." if attribute.default is NOTHING else f" Default: {toml(attribute.default)}."
    live = " (live)" if declared.live else ""
    return f"{declared.text[0].upper()}{declared.text[1:]}.{unit}{default}{live}"


def _comment(text: str) -> str:
    lines = [wrapped for line in text.splitlines() for wrapped in textwrap.wrap(line, WIDTH, break_on_hyphens=False)]
    return "\n".join(f"# {line}" for line in lines)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a lone surrogate cannot be written")
    if code > 0xFFFF:
        return f"\\U{code:08X}"
    if code == 0x7F or code > 0x7F:
        return f"\\u{code:04X}"
    return json.dumps(character)[1:-1]
