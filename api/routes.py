"""Routes: method, address, schema, refusals and encoder, beside the one call that serves it.

A resource is a class whose methods carry `@route(...)`. Such a method takes the account that asks and the validated
attributes, and returns what the backend answers; everything else is `api.endpoint`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from attrs import Factory, field, frozen
from pydantic import BaseModel, ConfigDict, ValidationError

from api.bodies import shown
from api.errors import Refusal
from dialer.errors import BadValue
from dialer.kinds import Kind

PREFIX: Final = "/api/dialer_campaign/"
CDR_PREFIX: Final = "/api/dialer_cdr/"
"""Calls had addresses of their own."""

F = TypeVar("F", bound=Callable[..., Any])


class Attributes(BaseModel):
    """The attributes that a route takes, from the address, the query and the body alike."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


@frozen(kw_only=True)
class NewfiesRoute:
    """One method of one resource. `path` is behind `prefix` and ends in a slash, which a client may leave out; `encode` makes
    of the use case's answer what JSON can carry, whose schema is that of `answer`. `names` are those of the attributes for
    clients, by the names that a refusal knows."""

    method: str
    path: str
    schema: type[Attributes]
    answer: Any
    encode: Callable[[Any], Any]
    refusals: tuple[Refusal, ...] = ()
    names: Mapping[str, str] = Factory(dict)
    summary: str
    name: str
    prefix: str = PREFIX
    path_names: frozenset[str] = field(init=False)
    kinds: dict[str, Kind] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "path_names", frozenset(re.findall(r"<(\w+)>", self.path)))
        object.__setattr__(self, "kinds", _kinds(self.schema))

    @property
    def reads(self) -> bool:
        """Whether it is a GET: its attributes come from the query then, else from the body."""
        return self.method == "GET"

    @property
    def takes_body(self) -> bool:
        """Whether attributes come in a body."""
        return self.method in ("POST", "PUT")

    @property
    def status(self) -> int:
        """Of its answer: what is removed has nothing to tell."""
        return 204 if self.method == "DELETE" else 200

    @property
    def address(self) -> str:
        """The whole path."""
        return self.prefix + self.path

    @property
    def attribute_names(self) -> list[str]:
        """The attributes that the query or the body may name."""
        return [name for name in self.kinds if name not in self.path_names]

    def parse(self, path: dict[str, str], given: dict[str, Any]) -> Attributes:
        """The validated attributes. Raises `BadValue` for the first that is wrong."""
        for name, value in path.items():
            if name in given and str(given[name]).strip() != value:
                raise BadValue(name, "is not the one in the address")
        try:
            return self.schema.model_validate({**given, **path})
        except ValidationError as error:
            raise self._refused(error) from None

    def _refused(self, error: ValidationError) -> BadValue:
        found = error.errors(include_url=False, include_input=False)
        problem = min(found, key=lambda item: item["type"] == "missing")
        name = str(problem["loc"][0]) if problem["loc"] else ""
        match problem["type"]:
            case "missing":
                return BadValue(name, f"is missing; expected {self.kinds[name].takes}")
            case "extra_forbidden":
                taken = ", ".join(self.attribute_names) or "none"
                return BadValue(shown(name), f"is not an attribute here; those are: {taken}")
            case _ if name:
                return BadValue(name, f"expected {self.kinds[name].takes}")
        return BadValue("body", str(problem["ctx"]["error"]))


def route(
    method: str,
    path: str,
    *,
    schema: type[Attributes],
    answer: Any,
    encode: Callable[[Any], Any],
    refusals: tuple[Refusal, ...] = (),
    names: Mapping[str, str] | None = None,
    prefix: str = PREFIX,
) -> Callable[[F], F]:
    """Mark a method of a resource as what serves `method` at `path`. Its docstring's first line is the summary."""

    def mark(function: F) -> F:
        summary = (function.__doc__ or "").strip().split("\n", 1)[0]
        described = NewfiesRoute(
            method=method,
            path=path,
            schema=schema,
            answer=answer,
            encode=encode,
            refusals=refusals,
            names=names or {},
            summary=summary,
            name=function.__qualname__,
            prefix=prefix,
        )
        function.__route__ = described  # type: ignore[attr-defined]
        return function

    return mark


def routes_of(resource: object) -> Iterator[tuple[NewfiesRoute, Callable[..., Any]]]:
    """The routes of a resource (or of its class), in the order in which they are written."""
    kind = resource if isinstance(resource, type) else type(resource)
    for name, function in vars(kind).items():
        found = getattr(function, "__route__", None)
        if found is not None:
            yield found, getattr(resource, name)


def _kinds(schema: type[Attributes]) -> dict[str, Kind]:
    """The kind of each attribute, by its name for clients."""
    return {
        info.alias or name: next(each for each in info.metadata if isinstance(each, Kind))
        for name, info in schema.model_fields.items()
    }
