"""The five routes that most nouns have: the list, a new one, one of them, its change and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from api.v2.attributes import Answer, Attribute, Body
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Current, Route
from dialer.management.management import UseCase
from dialer.model import Scope

TAKEN: Final = ("already-exists",)
IN_USE: Final = ("in-use",)

Serve = Callable[[Asked], Any]


@frozen(kw_only=True, eq=False)
class NounRoutes:
    """What is said of a noun at `path`, whose `key` is the id of one: it is shown as `answer`, by `readers`; `writers` make it
    of `new` and change it by `changed`. `locked` reads one in the transaction of its change. `made` is the answer to a new one
    where that tells more than `answer`, and `kept` what is kept of it for a request that comes again; two requests are not
    told apart by `secrets`. What is refused with other problems than the usual ones stands in `refused_...`."""

    path: str
    key: str
    answer: Answer
    new: Body
    changed: Body
    page: Page
    locked: UseCase[Any, Any]
    filters: tuple[Attribute, ...] = ()
    readers: Scope = Scope.READ
    writers: Scope = Scope.ADMIN
    made: Answer | None = None
    kept: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    secrets: tuple[str, ...] = ()
    refused_new: tuple[str, ...] = ()
    refused_change: tuple[str, ...] = ()
    refused_end: tuple[str, ...] = ()

    @property
    def one(self) -> str:
        """The address of one."""
        return f"{self.path}/<{self.key}>"

    def routes(
        self, *, listed: Serve, create: Serve, read: Serve, change: Serve, remove: Serve
    ) -> tuple[Route, Route, Route, Route, Route]:
        """The routes, each with what serves it."""
        current = Current(use_case=self.locked, args=lambda asked: (asked.who, asked.path[self.key]), answer=self.answer)
        return (
            Route(
                method="GET",
                path=self.path,
                scope=self.readers,
                serve=listed,
                answer=page_of(self.answer),
                page=self.page,
                parameters=self.filters,
            ),
            Route(
                method="POST",
                path=self.path,
                scope=self.writers,
                serve=create,
                body=self.new,
                answer=self.made or self.answer,
                status=201,
                location=f"{self.path}/{{id}}",
                kept=self.kept,
                refusals=self.refused_new,
                secrets=self.secrets,
            ),
            Route(method="GET", path=self.one, scope=self.readers, serve=read, answer=self.answer),
            Route(
                method="PATCH",
                path=self.one,
                scope=self.writers,
                serve=change,
                body=self.changed,
                answer=self.answer,
                current=current,
                refusals=self.refused_change,
            ),
            Route(
                method="DELETE",
                path=self.one,
                scope=self.writers,
                serve=remove,
                status=204,
                current=current,
                refusals=self.refused_end,
            ),
        )
