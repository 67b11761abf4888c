"""Routes: one table, from which the addresses, the checks of scopes and the OpenAPI document come.

A module of `api/v2/resources` has a list `ROUTES`. A route says who may ask (its `scope`), what may be said (parameters, a
body), what is answered, and which function serves it: that gets an `Asked` and returns what a use case answers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred

from api.v2.attributes import ID, Answer, Attribute, Body
from api.v2.pages import CURSOR, LIMIT, Page
from api.v2.problems import Places
from dialer.management import Management
from dialer.management.idempotency import KeyedRequest, earlier
from dialer.management.listing import Slice
from dialer.management.management import Around, UseCase
from dialer.model import Account, Scope

PREFIX: Final = "/api/v2/"


@frozen(kw_only=True)
class Asked:
    """What is asked: by whom, and the values of the address (`path`), the query and the body. A list gives `limit` entries
    from behind `after`. `key` is that of a request that may come again."""

    management: Management
    who: Account
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    after: Any = None
    limit: int = 0
    key: KeyedRequest | None = None
    within: Around | None = None
    file: Any = None
    """The `FileBody` of a route that takes one."""

    @property
    def part(self) -> Slice:
        """The part of a list that is wanted, and the order."""
        return Slice(sort=self.query["sort"], after=self.after, limit=self.limit)

    def only_within(self, around: Around) -> Asked:
        """The same with something around its use case."""
        return evolve(self, within=around)

    def ask(self, use_case: UseCase[Any, Any], *args: Any, **more: Any) -> Deferred[Any]:
        """Run a use case as the request wants it: once for its key, or only on what was not changed meanwhile."""
        if self.within is None:
            return self.management.ask(use_case, *args, **more)
        return self.management.ask_within(self.within, use_case, *args, **more)

    def ask_after(self, work: Callable[[], Awaitable[Any]], use_case: UseCase[Any, Any], *args: Any) -> Deferred[Any]:
        """Do what no single transaction can, then run a use case, whose last argument is what came of it. A request that came
        before, and was answered, does nothing; one that was interrupted is done from its beginning."""
        return Deferred.fromCoroutine(self._ask_after(work, use_case, args))

    async def _ask_after(self, work: Callable[[], Awaitable[Any]], use_case: UseCase[Any, Any], args: tuple[Any, ...]) -> Any:
        answered = None if self.key is None else await self.management.ask(earlier, self.key)
        return await self.ask(use_case, *args, await work()) if answered is None else answered


@frozen(kw_only=True, eq=False)
class File:
    """An answer that is made while it is sent; `name` is what a browser calls the file."""

    content_type: str
    name: str
    pieces: AsyncIterator[bytes]


@frozen(kw_only=True, eq=False)
class Taken:
    """A body that is a file, of any size, which goes to disk while it comes: of one of these types, or in a form."""

    types: tuple[str, ...]
    doc: str


@frozen(kw_only=True, eq=False)
class Current:
    """How a thing that is about to be changed is read in the transaction of the change, and shown: as the GET of its address
    does."""

    use_case: UseCase[Any, Any]
    args: Callable[[Asked], tuple[Any, ...]]
    answer: Answer


@frozen(kw_only=True, eq=False)
class Route:
    """One method of one address. `path` is behind `PREFIX`; a name in angle brackets is an id unless `parameters` say
    otherwise; those that are not in the path are of the query. `scope` is what the login must be good for, None when nobody
    has to log in. With a `page`, the answer is a list, whose filters are the parameters.

    With `files`, the answer is a `File` of one of these content types; with `ranges`, too, a `RangedFile`. With `raw`, the
    body is a file of one of these types, which is the attribute `content`; with `takes`, it is a file of any size, and the
    parameters may be fields of a form around it.

    `current` makes If-Match possible. `location` is the address of what was made, in which `{id}` is that of the answer.
    With `streams`, it is a GET whose answer goes on: what serves it gives a `Wish` and a `Beginning`, behind the event that
    `after` names, a parameter or the header `Last-Event-ID`.
    `kept` makes of the answer what is sent when the request comes again. `refusals` are kinds of problems beside those that
    every route has. `secrets` are attributes of the body by which two requests are not told apart: nothing is kept of them."""

    method: str
    path: str
    scope: Scope | None
    serve: Callable[[Asked], Any]
    answer: Answer | None = None
    status: int = 200
    parameters: tuple[Attribute, ...] = ()
    body: Body | None = None
    takes: Taken | None = None
    page: Page | None = None
    files: tuple[str, ...] = ()
    ranges: bool = False
    raw: tuple[str, ...] = ()
    current: Current | None = None
    location: str = ""
    kept: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    refusals: tuple[str, ...] = ()
    streams: bool = False
    secrets: tuple[str, ...] = ()
    path_parameters: tuple[Attribute, ...] = field(init=False)
    query_parameters: tuple[Attribute, ...] = field(init=False)
    places: Places = field(init=False)

    def __attrs_post_init__(self) -> None:
        given = {each.name: each for each in self.parameters}
        names = re.findall(r"<(\w+)>", self.path)
        in_path = tuple(given.get(name) or _id_of(name) for name in names)
        in_query = tuple(each for each in self.parameters if each.name not in names)
        of_page: tuple[Attribute, ...] = ()
        if self.page is not None:
            sorting = self.page.sorting
            of_page = (LIMIT, CURSOR) if sorting is None else (sorting.parameter, LIMIT, CURSOR)
        body = self.body.attributes if self.body is not None else ()
        set_ = object.__setattr__
        set_(self, "path_parameters", in_path)
        set_(self, "query_parameters", (*in_query, *of_page))
        set_(
            self,
            "places",
            Places(
                attributes=frozenset(each.name for each in body),
                parameters=frozenset(each.name for each in (*in_path, *in_query, *of_page)),
                references={each.refers_to: each.name for each in body if each.refers_to},
            ),
        )

    @property
    def reads(self) -> bool:
        """Whether it is a GET."""
        return self.method == "GET"

    @property
    def conditional(self) -> bool:
        """Whether its answer has a tag, and may be asked for on conditions: it is made whole before it is sent."""
        return self.reads and not self.streams and not self.files

    @property
    def summary(self) -> str:
        """The first sentence of what serves it."""
        return (self.serve.__doc__ or "").strip().split("\n", 1)[0]

    @property
    def tag(self) -> str:
        """The resource that it belongs to."""
        return self.serve.__module__.rpartition(".")[2]

    @property
    def name(self) -> str:
        """Its name in the document, such as `campaigns_create`."""
        return f"{self.tag}_{self.serve.__name__.strip('_')}"


def _id_of(name: str) -> Attribute:
    return Attribute(name=name, kind=ID, doc=f"the id of the {name.removesuffix('_id').replace('_', ' ')}", required=True)
