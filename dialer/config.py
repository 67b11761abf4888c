"""The configuration file: one TOML file, checked whole before anything starts."""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from attrs import NOTHING, fields_dict, has
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from dialer.errors import BadValue
from dialer.safe_files import UnsafeFile, refusal
from dialer.safe_paths import read_text
from dialer.secret_sources import file_of, secret_of
from dialer.settings import DECLARED, Config, SwitchSettings

T = TypeVar("T")

STANDARD_INPUT = Path("-")

MOST_SWITCHES = 100
"""Each has three connections, and is asked for its channels; as many values has the label of a metric."""


def load_config(path: Path) -> Config:
    """Read `path`; `-` is standard input.

    Raises `BadValue` (field: the path) with one line that names each thing that is wrong: a file that cannot be read, is not
    TOML, lacks a setting, has one that is unknown or out of range, or a secret that is not where it says.
    """
    raw = _read(path)
    try:
        for section_values, name, shown in _secrets(raw):
            section_values[name] = secret_of(section_values[name], shown, path.absolute().parent)
    except BadValue as error:
        raise BadValue(str(path), str(error)) from None
    return parse_config(raw, str(path))


def secret_files(path: Path) -> list[Path]:
    """The files that the secrets of a configuration come from. Raises `BadValue`."""
    found = (file_of(section_values[name], path.absolute().parent) for section_values, name, _ in _secrets(_read(path)))
    return [file for file in found if file is not None]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(sys.stdin.read() if path == STANDARD_INPUT else read_text(path))
    except (OSError, UnsafeFile) as error:
        raise BadValue(str(path), refusal(error, "read")) from None
    except UnicodeDecodeError:
        raise BadValue(str(path), "is not TOML: it is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadValue(str(path), f"is not TOML: {error}") from None


def _secrets(raw: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """The secrets of a file's content, as far as they are texts: the section that has one, its name there, its whole name."""
    for name in fields_dict(Config):
        given = raw.get(name)
        for values in given if isinstance(given, list) else [given]:
            if isinstance(values, dict):
                secrets = (key for key, each in fields_dict(section(name)).items() if each.metadata[DECLARED].secret)
                yield from ((values, key, f"{name}.{key}") for key in secrets if isinstance(values.get(key), str))


def parse_config(raw: Mapping[str, object], source: str = "configuration") -> Config:
    """The configuration that a file's content means. Raises `BadValue` (field: `source`) as `load_config` does."""
    try:
        config = validated(Config, raw)
    except ValidationError as error:
        raise BadValue(source, "; ".join(_problem(item) for item in error.errors())) from None
    except BadValue as error:
        raise BadValue(source, str(error)) from None
    if bool(config.switch) == (config.simulator is not None):
        raise BadValue(source, "expected [[switch]], one or several, or [simulator] in their place")
    if wrong := "; ".join(_confused(config.switch)):
        raise BadValue(source, wrong)
    return config


def _confused(switches: Sequence[SwitchSettings]) -> Iterator[str]:
    """Why several switches could not be told apart."""
    if len(switches) < 2:
        return
    for number, switch in enumerate(switches, start=1):
        if not switch.name:
            yield f"switch.name is missing in [[switch]] number {number}: of several, each needs one"
    names = Counter(switch.name for switch in switches if switch.name)
    yield from (f"switch.name: {name} is the name of {count} [[switch]]" for name, count in names.items() if count > 1)
    places = Counter((switch.host, switch.port) for switch in switches)
    for (host, port), count in places.items():
        if count > 1:
            yield f"switch.port: {count} [[switch]] are at {host}:{port}, which is one FreeSWITCH"


def validated(declared: type[T], raw: Mapping[str, object]) -> T:
    """The value of a class of `dialer.settings`, made of what a file has. Raises pydantic's `ValidationError`."""
    any_type: type = declared  # mypy does not take a `type[T]` for hashable
    return _value(declared, _model(any_type).model_validate(raw))


@cache
def section(name: str) -> type:
    """The class of a section of the file. To find out what annotations mean takes long, and each secret asks for all."""
    hint = get_type_hints(Config)[name]
    return next(item for item in (hint, *get_args(hint)) if isinstance(item, type) and has(item))


@cache
def _model(declared: type) -> type[BaseModel]:
    """The checks for a section, or for the whole file. A name that is not declared is refused."""
    hints = get_type_hints(declared)
    checked: dict[str, Any] = {}
    for name, attribute in fields_dict(declared).items():
        default = ... if attribute.default is NOTHING else attribute.default
        if declaration := attribute.metadata.get(DECLARED):
            checked[name] = (declaration.given or hints[name], Field(default, **declaration.bounds))
            continue
        model: Any = _model(section(name))
        match default:
            case ():
                checked[name] = (Annotated[tuple[model, ...], BeforeValidator(_as_list)], Field((), max_length=MOST_SWITCHES))
            case None:
                checked[name] = (model | None, None)
            case _:
                checked[name] = (model, default)
    return create_model(declared.__name__, __config__=ConfigDict(extra="forbid"), **checked)


def _as_list(given: object) -> object:
    """`[switch]` is one `[[switch]]`."""
    return [given] if isinstance(given, dict) else given


def _value(declared: type[T], checked: BaseModel) -> T:
    values = {name: getattr(checked, name) for name in checked.model_fields_set}
    if declared is Config:
        values = {name: _section_value(section(name), given) for name, given in values.items()}
    return declared(**values)


def _section_value(declared: type, given: Any) -> Any:
    return tuple(_value(declared, one) for one in given) if isinstance(given, tuple) else _value(declared, given)


def _problem(item: Any) -> str:
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in item["loc"] if part != 0)[1:]
    match item["type"]:
        case "extra_forbidden":
            return f"{where} is not a setting"
        case "missing":
            return f"{where} is missing"
        case _:
            return f"{where}: {item['msg']}"


def changes(before: Config, after: Config) -> tuple[list[str], list[str]]:
    """The settings that differ, as `section.name`: the live ones, and those that need a restart."""
    live: list[str] = []
    fixed: list[str] = []
    for name in fields_dict(Config):
        old, new = getattr(before, name), getattr(after, name)
        pairs = zip(old, new, strict=True) if isinstance(old, tuple) and len(old) == len(new) else [(old, new)]
        for one, other in pairs:
            for setting_name, is_live in _differences(one, other):
                (live if is_live else fixed).append(f"{name}.{setting_name}" if setting_name else name)
    return live, fixed


def _differences(old: Any, new: Any) -> Iterator[tuple[str, bool]]:
    if not (has(type(old)) and has(type(new))):
        if old != new:
            yield "", False
        return
    for name, attribute in fields_dict(type(old)).items():
        if getattr(old, name) != getattr(new, name):
            yield name, attribute.metadata[DECLARED].live
