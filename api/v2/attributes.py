"""What a request may say and what an answer tells, made of the declarations of the nouns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from attrs import NOTHING, Factory, field, frozen

from api.bodies import shown
from api.v2.problems import Flaw, Problem
from api.v2.shapes import Schema, Shape, as_it_is, shape_of
from dialer.declare import Field, Place, noun_of
from dialer.kinds import LARGEST_ID, Inside, Kind, Whole, Word

ID: Final = Whole(1, LARGEST_ID)
YES_OR_NO: Final = Word(("yes", "no"))


def is_yes(query: Mapping[str, Any], name: str) -> bool | None:
    """What a parameter of the kind `YES_OR_NO` says; None when it is not there."""
    return None if name not in query else query[name] == "yes"


@frozen(kw_only=True)
class Attribute:
    """A member of a body, or a parameter of an address. `default` is what it is where it is not given, NOTHING where that is
    for a use case to decide; `refers_to` is the noun whose id it is."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    default: Any = field(factory=lambda: NOTHING)
    refers_to: str = ""

    @property
    def shape(self) -> Shape:
        """How it looks in JSON."""
        return shape_of(self.kind)

    @property
    def described(self) -> Schema:
        """JSON Schema, with what it means."""
        schema = {**self.shape.schema, "description": self.doc}
        return schema if self.default is NOTHING else {**schema, "default": self.shape.show(self.default)}


def _attribute(declared: Field) -> Attribute:
    unit = f" ({declared.unit})" if declared.unit else ""
    default = declared.default.factory() if isinstance(declared.default, Factory) else declared.default  # type: ignore[arg-type]
    return Attribute(
        name=declared.name,
        kind=declared.kind,
        doc=f"{declared.doc}{unit}",
        required=declared.required,
        default=NOTHING if declared.otherwise else default,
        refers_to=declared.refers_to,
    )


def enterable(cls: type, without: Collection[str] = ("user_id",)) -> tuple[Attribute, ...]:
    """All that a new one may be given."""
    fields = noun_of(cls).enterable
    return tuple(_attribute(each) for each in fields if each.name not in without and not each.is_hidden)


@frozen(kw_only=True)
class Body:
    """A JSON object: `name` is what the document calls it. With `merges`, it is a merge patch (RFC 7396): all may be left
    out, and null takes a member away, so that it is as in a new one."""

    name: str
    attributes: tuple[Attribute, ...]
    merges: bool = False
    _by_name: Mapping[str, Attribute] = field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {each.name: each for each in self.attributes})

    def parse(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values. Raises `Problem`, which tells all that is wrong."""
        found: dict[str, Any] = {}
        flaws: list[Flaw] = []
        for name, value in given.items():
            attribute = self._by_name.get(name)
            if attribute is None:
                flaws.append(Flaw.at(shown(name), f"is not an attribute here; those are: {', '.join(self._by_name)}"))
                continue
            try:
                found[name] = self._value(attribute, value)
            except Inside as wrong:
                flaws.append(Flaw.inside((name, *wrong.path), f"expected {wrong.takes}"))
            except (ValueError, TypeError, OverflowError):
                flaws.append(Flaw.at(name, f"expected {attribute.shape.takes}"))
        for attribute in self.attributes:
            if attribute.required and not self.merges and attribute.name not in given:
                flaws.append(Flaw.at(attribute.name, f"is missing; expected {attribute.shape.takes}"))
        if flaws:
            raise Problem.of_flaws(flaws)
        return found

    def _value(self, attribute: Attribute, value: Any) -> Any:
        taken_away = value is None and self.merges and not attribute.kind.nullable
        if taken_away and attribute.default is not NOTHING:
            return attribute.default
        return attribute.shape.take(value)

    @property
    def schema(self) -> Schema:
        """JSON Schema."""
        required = [each.name for each in self.attributes if each.required and not self.merges]
        properties = {each.name: self._described(each) for each in self.attributes}
        found = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**found, "required": required} if required else found

    def _described(self, attribute: Attribute) -> Schema:
        if not self.merges:
            return attribute.described
        schema = {name: each for name, each in attribute.described.items() if name != "default"}
        removable = attribute.default is not NOTHING and not attribute.kind.nullable
        return {"anyOf": [schema, {"type": "null"}]} if removable else schema


def parse_parameters(attributes: Sequence[Attribute], given: Mapping[str, str]) -> dict[str, Any]:
    """The values of a query, from texts. Raises `Problem`, which tells all that is wrong."""
    by_name = {each.name: each for each in attributes}
    found: dict[str, Any] = {each.name: each.default for each in attributes if each.default is not NOTHING}
    flaws: list[Flaw] = []
    for name, text in given.items():
        if name not in by_name:
            flaws.append(Flaw.of_parameter(shown(name), f"is not taken here; known are: {', '.join(by_name) or 'none'}"))
            continue
        try:
            found[name] = by_name[name].kind.parse(text)
        except (ValueError, TypeError, OverflowError):
            flaws.append(Flaw.of_parameter(name, f"expected {by_name[name].kind.takes}"))
    if flaws:
        raise Problem.of_flaws(flaws)
    return found


# --- answers --------------------------------------------------------------------------------------------------------------


@frozen(eq=False, kw_only=True)
class Answer:
    """`name` is what the document calls it; `encode` makes of a value what JSON can carry, which fits `schema`. `item` is
    that of the entries of a page."""

    name: str
    schema: Schema
    encode: Callable[[Any], Any]
    item: Answer | None = None


def answer(
    name: str, doc: str, properties: Mapping[str, Schema], encode: Callable[[Any], Any], item: Answer | None = None
) -> Answer:
    """An object that has all of these properties, and no others."""
    schema = {
        "type": "object",
        "description": doc,
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
    return Answer(name=name, schema=schema, encode=encode, item=item)


@frozen(eq=False)
class Encoder:
    """The fields of a noun that are shown: as it was declared, without secrets, of which a mask may be left."""

    cls: type
    without: Collection[str] = ("archived_at",)

    @property
    def _fields(self) -> list[Field]:
        fields = noun_of(self.cls).fields
        return [
            each for each in fields if each.place is not Place.JOINED and not each.is_hidden and each.name not in self.without
        ]

    @property
    def properties(self) -> dict[str, Schema]:
        """The schema of each."""
        return {each.name: {**shape_of(each.kind).schema, "description": _attribute(each).doc} for each in self._fields}

    def encoder(self) -> Callable[[Any], dict[str, Any]]:
        """Makes the answer of a value, made once: it gets all at once, and touches only what JSON shows in another way."""
        names = [each.name for each in self._fields]
        get = attrgetter(*names)
        shows = [(each.name, each.shown or shape_of(each.kind).show) for each in self._fields]
        shows = [(name, show) for name, show in shows if show is not as_it_is]

        def encode(value: Any) -> dict[str, Any]:
            found = dict(zip(names, get(value), strict=True))
            for name, show in shows:
                found[name] = show(found[name])
            return found

        return encode
