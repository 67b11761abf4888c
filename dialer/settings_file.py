"""Writes a configuration file: every setting with what it does, its unit and its default, from `dialer.config`'s models."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic.fields import FieldInfo

from dialer.config import Config, Section

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
    for name, info in Config.model_fields.items():
        blocks.append("\n".join(_section(name, info, values.get(name))))
    return "\n\n".join(blocks) + "\n"


def known_settings() -> list[str]:
    """Every setting, as `section.name`."""
    return [f"{name}.{key}" for name, info in Config.model_fields.items() for key in _model(info).model_fields]


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


def _section(name: str, info: FieldInfo, values: Mapping[str, object] | None) -> Iterator[str]:
    model = _model(info)
    header = f"[[{name}]]" if _is_list(info) else f"[{name}]"
    left_out = values is None and not _is_always_there(info)
    yield _comment(model.__doc__ or "")
    yield f"#{header}" if left_out else header
    for key, field in model.model_fields.items():
        yield ""
        yield _comment(_explanation(field))
        if values is not None and key in values:
            yield f"{key} = {toml(values[key])}"
        else:
            shown = "" if field.is_required() else field.default
            yield f"#{key} = {toml(shown)}"


def _explanation(field: FieldInfo) -> str:
    extra: Any = field.json_schema_extra
    text = f"{field.description}."
    unit = f" Unit: {extra['unit']}." if extra["unit"] else ""
    default = " Required." if field.is_required() else f" Default: {toml(field.default)}."
    live = " (live)" if extra["live"] else ""
    return f"{text[0].upper()}{text[1:]}{unit}{default}{live}"


def _comment(text: str) -> str:
    lines = [wrapped for line in text.splitlines() for wrapped in textwrap.wrap(line, WIDTH, break_on_hyphens=False)]
    return "\n".join(f"# {line}" for line in lines)


def _model(info: FieldInfo) -> type[Section]:
    annotation: Any = info.annotation
    candidates = [annotation, *get_args(annotation)]
    return next(item for item in candidates if isinstance(item, type) and issubclass(item, Section))


def _is_list(info: FieldInfo) -> bool:
    return info.default == ()


def _is_always_there(info: FieldInfo) -> bool:
    return info.is_required() or isinstance(info.default, Section)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a lone surrogate cannot be written")
    if code > 0xFFFF:
        return f"\\U{code:08X}"
    if code == 0x7F or code > 0x7F:
        return f"\\u{code:04X}"
    return json.dumps(character)[1:-1]
