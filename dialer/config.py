"""The configuration: one TOML file, checked whole before anything starts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialer.errors import BadValue


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Section):
    """Where the state is kept."""

    url: Annotated[str, Field(min_length=1, description="sqlite:///PATH; a relative PATH counts from the file's folder")]


class SwitchSettings(_Section):
    """A FreeSWITCH and its Event Socket."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8021
    password: Annotated[str, Field(min_length=1, repr=False)]
    calls_per_second: Annotated[float, Field(gt=0, le=10_000, description="cap of this switch")] = 25.0
    max_in_flight: Annotated[int, Field(ge=1, le=10_000, description="commands without a reply at the same time")] = 50


class OutboundSettings(_Section):
    """The socket server to which FreeSWITCH hands the answered calls."""

    endpoint: str = "tcp:8084:interface=127.0.0.1"
    advertise: Annotated[str, Field(description="HOST:PORT at which FreeSWITCH reaches it; empty: as listened")] = ""
    allow: Annotated[tuple[str, ...], Field(description="addresses of the switches that may connect")] = ("127.0.0.1", "::1")
    inline: Annotated[bool, Field(description="true: calls do not need the shipped dialplan context")] = False


class Config(_Section):
    """The whole file."""

    database: DatabaseSettings
    switch: Annotated[tuple[SwitchSettings, ...], Field(min_length=1, max_length=1)]
    outbound: OutboundSettings = OutboundSettings()


def load_config(path: Path) -> Config:
    """Read `path`.

    Raises `BadValue` (field: the setting, or the path) with one line for each thing that is wrong: a file that cannot be read,
    is not TOML, lacks a setting, has one that is unknown or out of range.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadValue(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadValue(str(path), f"is not TOML: {error}") from None
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise BadValue(str(path), "; ".join(problems)) from None
