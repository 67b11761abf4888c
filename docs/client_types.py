"""Python's types for the JSON Schemas of the API v2, and lines of code that are not too long."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

WIDTH: Final = 127
SUFFIX: Final = "Object"
"""Ends the names of classes: without it, they are nouns of the dialer."""
_PLAIN: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def quoted(text: str) -> str:
    """A literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def keyword_safe(name: str) -> str:
    """A name that can be an argument."""
    return f"{name}_" if keyword.iskeyword(name) else name


def is_switch(schema: Mapping[str, Any]) -> bool:
    """Whether it is said by yes or no."""
    return schema.get("enum") == ["yes", "no"]


def wrapped(head: str, parts: Sequence[str], tail: str) -> str:
    """On one line where that is not too long, else a part a line."""
    line = f"{head}{', '.join(parts)}{tail}"
    if len(line) <= WIDTH and "\n" not in line:
        bare = line.replace("import (", "import ").removesuffix(")") if "import (" in line else line
        return f"{bare}\n"
    indent = re.match(" *", head)[0]  # type: ignore[index]
    inner = "".join(f"{indent}    {_folded(part, indent + '    ')}{'' if part.startswith('**') else ','}\n" for part in parts)
    return f"{head}\n{inner}{indent}{tail}\n"


def _folded(part: str, indent: str) -> str:
    """A long `Literal[...]` or dict over several lines."""
    if len(indent) + len(part) < WIDTH:
        return part
    found = re.match(r"(.*?[\[{])(.*)([\]}].*)$", part, re.DOTALL)
    if found is None:
        return part
    lines, line = [], f"{indent}   "
    for each in found[2].split(", "):
        if len(line) + len(each) + 2 > WIDTH:
            lines.append(line)
            line = f"{indent}   "
        line += f" {each},"
    return "\n".join([found[1], *lines, line, f"{indent}{found[3]}"])


class Types:
    """Makes classes of schemas. `homes` has the module of each, `made` the names in their order; `bodies` are the names
    of those that are sent."""

    def __init__(self, schemas: Mapping[str, Any], bodies: Collection[str]) -> None:
        self._schemas = schemas
        self._bodies = bodies
        self.homes: dict[str, str] = {}
        self.made: list[str] = []
        self._texts: dict[str, str] = {}

    def item_of(self, name: str) -> str:
        """The name of the entries of a page, "" for what is none."""
        properties = self._schemas[name].get("properties", {})
        return str(properties["data"]["items"]["$ref"]).rpartition("/")[2] if "next_cursor" in properties else ""

    def reference(self, name: str) -> str:
        """The type of an object."""
        return f"{name}{SUFFIX}" if self._schemas[name].get("properties") else "dict[str, Any]"

    def argument(self, schema: Mapping[str, Any]) -> str:
        """The type of a value of an address."""
        return self._type(schema, "", sent=True)

    def module(self, module: str, names: Sequence[str]) -> str:
        """The code of these objects, and of those in them, as far as no earlier module has them."""
        before = len(self.made)
        for name in names:
            self._need(self.item_of(name) or name, module, sent=name in self._bodies)
        code = "".join(self._texts[name] for name in self.made[before:])
        abstract = [each for each in ("Mapping", "Sequence") if re.search(rf"\b{each}\[", code)]
        typing = [each for each in ("Any", "Literal", "NotRequired", "TypedDict") if re.search(rf"\b{each}\b", code)]
        head = f"from collections.abc import {', '.join(abstract)}\n" if abstract else ""
        code = code if code.lstrip().startswith("class") else code.removeprefix("\n")
        return f"{head}from typing import {', '.join(typing)}\n{code}" if code else ""

    def _need(self, name: str, module: str, *, sent: bool) -> None:
        if f"{name}{SUFFIX}" in self.homes or not self._schemas[name].get("properties"):
            return
        self.homes[f"{name}{SUFFIX}"] = module
        self._make(name, self._schemas[name], module, sent=sent)

    def _make(self, name: str, schema: Mapping[str, Any], module: str, *, sent: bool) -> None:
        """Make the class of an object, behind those of the objects in it."""
        self._module = module
        properties: Mapping[str, Any] = schema["properties"]
        needed = set(schema.get("required", ()))
        kinds = {
            each: self._type(inner, name + _camel(each, plural=inner.get("type") == "array"), sent=sent)
            for each, inner in properties.items()
        }
        total = bool(needed)
        for each in kinds:
            if total and each not in needed:
                kinds[each] = f"NotRequired[{kinds[each]}]"
        docs = {each: " ".join(str(inner.get("description", "")).split()) for each, inner in properties.items()}
        said = schema.get("description") or ("What is sent." if sent else "Part of an answer.")
        made = f"{name}{SUFFIX}"
        self.homes[made] = module
        self.made.append(made)
        self._texts[made] = _class(made, " ".join(said.split()), kinds, docs, total=total)

    def _type(self, schema: Mapping[str, Any], name: str, *, sent: bool) -> str:
        """The type of a value; an object in it is called `name`."""
        if "$ref" in schema:
            inner = schema["$ref"].rpartition("/")[2]
            self._need(inner, self._module, sent=sent)
            return self.reference(inner)
        if "anyOf" in schema:
            return _either(self._type(each, name, sent=sent) for each in schema["anyOf"])
        if "enum" in schema:
            words = [each for each in schema["enum"] if each is not None]
            literal = f"Literal[{', '.join(map(quoted, words))}]"
            return literal if len(words) == len(schema["enum"]) else f"{literal} | None"
        kind = schema.get("type")
        if isinstance(kind, list):
            return _either(self._type({**schema, "type": each}, name, sent=sent) for each in kind)
        if kind == "array":
            inner = self._type(schema.get("items", {}), name, sent=sent)
            return f"{'Sequence' if sent else 'list'}[{inner}]"
        if kind == "object":
            return self._object(schema, name, sent=sent)
        return _PLAIN.get(str(kind), "Any")

    def _object(self, schema: Mapping[str, Any], name: str, *, sent: bool) -> str:
        if schema.get("properties"):
            if f"{name}{SUFFIX}" not in self.homes:
                self._make(name, schema, self._module, sent=sent)
            return f"{name}{SUFFIX}"
        more = schema.get("additionalProperties")
        inner = self._type(more, name, sent=sent) if isinstance(more, dict) else "Any"
        return f"{'Mapping' if sent else 'dict'}[str, {inner}]"


def _either(kinds: Any) -> str:
    return " | ".join(dict.fromkeys(kinds))


def _camel(name: str, *, plural: bool) -> str:
    words = name.split("_")
    if plural and words[-1].endswith("s"):
        words[-1] = words[-1][:-1]
    return "".join(word.capitalize() for word in words)


def _class(name: str, said: str, kinds: Mapping[str, str], docs: Mapping[str, str], *, total: bool) -> str:
    if any(keyword.iskeyword(each) for each in kinds):
        parts = [f"{quoted(each)}: {kind}" for each, kind in kinds.items()]
        inner = "".join(f"    {_folded(part, '    ')},\n" for part in parts)
        return f'\n\n{name} = TypedDict("{name}", {{\n{inner}}}{"" if total else ", total=False"})\n{_doc(said, "")}'
    head = f"\n\nclass {name}(TypedDict{'' if total else ', total=False'}):\n{_doc(said)}\n"
    body = ""
    for each, kind in kinds.items():
        body += f"    {_folded(f'{each}: {kind}', '    ')}\n"
        if docs[each]:
            body += _doc(docs[each])
    return head + body


def _doc(text: str, indent: str = "    ") -> str:
    """Below a class or a field, where editors show it."""
    words, lines, line = text.replace("\\", "\\\\").replace('"""', "'''").split(" "), [], f'{indent}"""'
    for word in words:
        if len(line) + len(word) + 4 > WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += f"{word} "
    text = "\n".join([*lines, line.rstrip()])
    return f'{text} """\n' if text.endswith('"') else f'{text}"""\n'
