"""The typed part of `dialer.client`, made of the OpenAPI document of the API v2: what is sent and answered (`objects`), a
class of methods for each resource (`resources`), and all of them together (`api.py`), for programs that wait and for Twisted's
reactor. `write.py` puts them where they are; a test compares them with the document."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from client_types import Types, is_switch, keyword_safe, quoted, wrapped

PREFIX: Final = "/api/v2/"
_HEAD: Final = '''"""{doc}

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

'''
_OF_CLIENT: Final = "root"
"""The resource of what stands beside all others."""


class Flavour(NamedTuple):
    """How a program gets its answers."""

    package: str
    prefix: str
    doc: str


FLAVOURS: Final = (
    Flavour("resources", "", "Each method waits for its answer."),
    Flavour("async_resources", "Async", "Each method gives a Deferred, or an iterator for `async for`."),
)

_METHODS: Final = {
    "about_document": "document",
    "attempts_of_campaign": "attempts",
    "campaign_course_attach": "attach",
    "campaign_course_contact": "contact",
    "campaign_course_detach": "detach",
    "campaign_course_set_state": "set_contact",
    "contact_explanations_explain": "explain_contact",
    "contact_explanations_explain_number": "explain_number",
    "contacts_add_many": "create_many",
    "contacts_remove_many": "remove_many",
    "contacts_search": "search",
    "do_not_call_lists_add": "add",
    "do_not_call_lists_read_entry": "entry",
    "do_not_call_lists_remove_entry": "delete_entry",
    "do_not_call_lists_take_off": "take_off",
    "me_read": "me",
    "about_problems": "problems",
    "previews_contacts": "previewed",
    "recordings_remove": "delete_recording",
    "sounds_upload": "upload",
    "statistics_overview": "statistics",
    "webhooks_of_attempt": "deliveries",
    "webhooks_read_delivery": "delivery",
    "webhooks_replay_delivery": "replay_delivery",
}
"""Operations whose methods are not called as their address and method have it."""
_USUAL: Final = {
    ("get", False): "list",
    ("post", False): "create",
    ("get", True): "get",
    ("patch", True): "change",
    ("delete", True): "delete",
}
"""The names of methods on a list, and on one thing."""


class Operation:
    """One method of one address, and how a program calls it."""

    def __init__(self, path: str, method: str, said: Mapping[str, Any]) -> None:
        self.path, self.method, self.said = path.removeprefix(PREFIX), method, said
        self.id: str = said["operationId"]
        self.answers: Mapping[str, Any] = next(each for code, each in said["responses"].items() if code < "3").get(
            "content", {}
        )

    @property
    def streams(self) -> bool:
        """Whether its answer does not end."""
        return "text/event-stream" in self.answers

    @property
    def resource(self) -> str:
        """The attribute of a client that has the method."""
        segments = self.path.split("/")
        if self.id in ("me_read", "statistics_overview", "about_document", "about_problems"):
            return _OF_CLIENT
        if segments[0] == "phonebooks" and segments[2:3] == ["contacts"]:
            return "contacts"
        return segments[0].replace("-", "_")

    @property
    def name(self) -> str:
        """That of the method."""
        last = self.path.rpartition("/")[2]
        of_one = last.startswith("{")
        nested = self.path.count("/") - (2 if self.resource == "contacts" and self.path.startswith("phonebooks") else 0)
        if self.id in _METHODS:
            return _METHODS[self.id]
        if of_one or nested == 0:
            return _USUAL[self.method, of_one]
        return last.replace("-", "_")

    def parameters(self, place: str) -> list[dict[str, Any]]:
        """Those of the path, the query or the headers."""
        return [each for each in self.said["parameters"] if each["in"] == place and each["name"] != "cursor"]

    @property
    def body(self) -> str:
        """The name of the object that is sent, "" for none."""
        content = self.said.get("requestBody", {}).get("content", {})
        named = {each["schema"].get("$ref", "").rpartition("/")[2] for each in content.values()}
        return named.pop() if len(named) == 1 else ""

    @property
    def files(self) -> list[str]:
        """The types of a file that is sent."""
        content = self.said.get("requestBody", {}).get("content", {})
        return [] if self.body else [each for each in content if each != "multipart/form-data"]

    @property
    def answer(self) -> str:
        """The name of the object that is answered, "" for none."""
        return str(self.answers.get("application/json", {}).get("schema", {}).get("$ref", "")).rpartition("/")[2]


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All that have an end."""
    every = [Operation(path, method, said) for path, methods in document["paths"].items() for method, said in methods.items()]
    return [each for each in every if not each.streams]


def files(document: Mapping[str, Any]) -> dict[str, str]:
    """The modules, by their paths below `dialer/client`."""
    every = operations(document)
    types = Types(document["components"]["schemas"], {each.body for each in every if each.body})
    by_module: dict[str, list[str]] = {}
    for operation in every:
        names = by_module.setdefault(operation.said["tags"][0], [])
        names += [name for name in (operation.body, operation.answer) if name]
    modules = {}
    for module, names in by_module.items():
        text = types.module(module, names)
        if text:
            modules[f"objects/{module}.py"] = _HEAD.format(doc=f"Objects of the API v2: {module.replace('_', ' ')}.") + text
    resources: dict[str, list[Operation]] = {}
    for operation in every:
        resources.setdefault(operation.resource, []).append(operation)
    for name, those in resources.items():
        for flavour in FLAVOURS:
            modules[f"{flavour.package}/{name}.py"] = _resource(name, those, types, flavour)
    modules["api.py"] = _api(list(resources))
    modules["objects/__init__.py"] = _exported(types.homes)
    for flavour in FLAVOURS:
        modules[f"{flavour.package}/__init__.py"] = f'"""Methods of the API v2. {flavour.doc}"""\n'
    return modules


def _exported(homes: Mapping[str, str]) -> str:
    names = "".join(f'    "{name}",\n' for name in sorted(homes))
    doc = "What is sent to the API v2, and what it answers: the objects of its JSON, for type checkers."
    return f"{_HEAD.format(doc=doc)}{_imports(homes, homes)}\n__all__ = [\n{names}]\n"


def _imports(names: Iterable[str], homes: Mapping[str, str], indent: str = "") -> str:
    """The imports of these objects."""
    by_module: dict[str, list[str]] = {}
    for each in sorted(names, key=str.lower):
        by_module.setdefault(homes[each], []).append(each)
    return "".join(
        wrapped(f"{indent}from dialer.client.objects.{module} import (", those, ")")
        for module, those in sorted(by_module.items())
    )


def class_name(resource: str, flavour: Flavour) -> str:
    """That of the methods of a resource."""
    return f"{flavour.prefix}{''.join(part.capitalize() for part in resource.split('_'))}Resource"


def _api(resources: Sequence[str]) -> str:
    named = [each for each in resources if each != _OF_CLIENT]
    text = _HEAD.format(doc="All resources of the API v2 together.")
    for flavour in sorted(FLAVOURS, key=lambda each: each.package):
        for each in sorted(resources):
            text += f"from dialer.client.{flavour.package}.{each} import {class_name(each, flavour)}\n"
    text += "from dialer.client.sending import Fetch, Pages, Send\n"
    for flavour in FLAVOURS:
        text += f"\n\nclass {flavour.prefix}Resources({class_name(_OF_CLIENT, flavour)}):\n"
        text += f'    """Each resource under its name. {flavour.doc}"""\n\n'
        text += "    def __init__(self, send: Send, pages: Pages, fetch: Fetch) -> None:\n"
        text += "        super().__init__(send, pages, fetch)\n"
        text += "".join(f"        self.{each} = {class_name(each, flavour)}(send, pages, fetch)\n" for each in named)
    return text


def _resource(name: str, those: Sequence[Operation], types: Types, flavour: Flavour) -> str:
    methods = "\n".join(_method(each, types, flavour) for each in those)
    code = f'\n\nclass {class_name(name, flavour)}(Resource):\n    """{flavour.doc}"""\n\n{methods}'
    doc = f"The methods of `{name}`." if name != _OF_CLIENT else "The methods beside those of the resources."
    abstract = [each for each in ("AsyncIterator", "Iterator", "Sequence") if re.search(rf"\b{each}\b", code)]
    typing = [each for each in ("Any", "Literal", "Unpack") if re.search(rf"\b{each}\b", code)]
    used = [each for each in types.homes if re.search(rf"\b{each}\b", code)]
    head = _HEAD.format(doc=doc)
    if abstract:
        head += f"from collections.abc import {', '.join(abstract)}\n"
    head += f"from typing import {', '.join(['TYPE_CHECKING', *typing])}\n\n" if used else _typing(typing)
    if "Deferred[" in code:
        head += "from twisted.internet.defer import Deferred\n\n"
    head += "from dialer.client.calls import ApiCall\nfrom dialer.client.sending import Resource\n"
    if used:
        head += f"\nif TYPE_CHECKING:\n{_imports(used, types.homes, '    ')}"
    return head + code


def _typing(names: Sequence[str]) -> str:
    return f"from typing import {', '.join(names)}\n\n" if names else "\n"


def _method(operation: Operation, types: Types, flavour: Flavour) -> str:
    arguments = list(_arguments(operation, types))
    head = f"    def {operation.name}("
    kind = _answered(operation, types)
    if kind.startswith("Iterator["):
        kind = f"{flavour.prefix}{kind}"
    elif flavour.prefix:
        kind = f"Deferred[{kind}]"
    summary = textwrap.fill(operation.said["summary"], 112, subsequent_indent="        ")
    lines = wrapped(head, ["self", *arguments], f") -> {kind}:")
    return f'{lines}        """{summary}"""\n{_sent(operation)}'


def _answered(operation: Operation, types: Types) -> str:
    if operation.answer:
        item = types.item_of(operation.answer)
        return f"Iterator[{types.reference(item)}]" if item else types.reference(operation.answer)
    return "bytes" if operation.answers else "None"


def _arguments(operation: Operation, types: Types) -> Iterator[str]:
    in_path = operation.parameters("path")
    for each in in_path:
        yield f"{each['name']}: {types.argument(each['schema'])}"
    if in_path:
        yield "/"
    if operation.files:
        yield "content: bytes"
        yield f"content_type: str = {quoted(operation.files[0])}"
    query = operation.parameters("query")
    tagged = any(each["name"] == "If-Match" for each in operation.parameters("header")) and operation.method != "get"
    if query or tagged:
        yield "*"
    if tagged:
        yield "tag: str | None = None"
    for each in query:
        kind = "bool" if is_switch(each["schema"]) else types.argument(each["schema"])
        yield f"{keyword_safe(each['name'])}: {kind}{'' if each.get('required') else ' | None = None'}"
    if operation.body:
        yield f"**body: Unpack[{types.reference(operation.body)}]"


def _sent(operation: Operation) -> str:
    """The body of a method."""
    given = [f"method={quoted(operation.method.upper())}", f"path={quoted(operation.path)}"]
    names = [each["name"] for each in operation.parameters("path")]
    if names:
        given.append("ids={" + ", ".join(f"{quoted(each)}: {each}" for each in names) + "}")
    query = [each["name"] for each in operation.parameters("query")]
    if query:
        given.append("query={" + ", ".join(f"{quoted(each)}: {keyword_safe(each)}" for each in query) + "}")
    if operation.body:
        given.append("body={**body}")
    if operation.files:
        given += ["content=content", "content_type=content_type"]
    if any(each["name"] == "If-Match" for each in operation.parameters("header")) and operation.method != "get":
        given.append("tag=tag")
    is_page = "next_cursor" in str(operation.answers) or operation.answer.endswith("Page")
    way = "pages" if is_page else "fetch" if operation.answers and not operation.answer else "send"
    return wrapped(f"        return self._{way}(ApiCall(", given, "))")
