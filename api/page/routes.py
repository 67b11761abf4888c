"""Routes of the page: one table, from which the addresses, the checks of rights and the audit log come.

A module of `api/page/views` has a list `ROUTES`. A route that is a GET shows something; one that is a POST changes something
and leads to what shows it. What serves it gets a `Visit`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from attrs import Factory, field, frozen
from twisted.internet.defer import Deferred

from dialer.errors import NotFound
from dialer.kinds import LARGEST_ID, Whole
from dialer.management import Management
from dialer.management.audit_log import Deed, audited, note
from dialer.management.management import UseCase
from dialer.management.page_sessions import SignedIn
from dialer.management.sounds import OpenFile
from dialer.model import Account, Scope

PREFIX: Final = "/ui/"

_ID: Final = Whole(1, LARGEST_ID)


@frozen(kw_only=True)
class Visit:
    """A request of somebody who is signed in: the parts of the address, the query or the form as texts. `site` has what all
    visits share."""

    management: Management
    signed_in: SignedIn
    csrf: str = field(repr=False)
    address: str
    site: Any
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    action: str = ""
    is_partial: bool = False
    file: Any = None
    """The `FormBody` of a route that takes a file."""

    @property
    def who(self) -> Account:
        """The user."""
        return self.signed_in.who

    def key(self, name: str) -> int:
        """An id in the address. Raises `NotFound` for what is none."""
        return number_in(self.path[name], name)

    def ask(self, use_case: UseCase[Any, Any], *args: Any) -> Deferred[Any]:
        """Run a use case that changes nothing."""
        return self.management.ask(use_case, *args)

    def do(
        self, subject: str, use_case: UseCase[Any, Any], *args: Any, details: Mapping[str, str] | None = None
    ) -> Deferred[Any]:
        """Run a use case that changes something, which is in the audit log with it, and with the `details`."""
        return self.management.ask_within(audited(self._deed(subject, details or {})), use_case, *args)

    def note(self, subject: str, details: Mapping[str, str]) -> Deferred[None]:
        """Write into the audit log what is no single transaction."""
        return self.management.ask(note, self._deed(subject, details))

    def _deed(self, subject: str, details: Mapping[str, str]) -> Deed:
        return Deed(who=self.who, address=self.address, action=self.action, subject=subject, details=details)


def number_in(text: str, name: str) -> int:
    """An id. Raises `NotFound`."""
    try:
        return _ID.parse(text)
    except ValueError:
        raise NotFound(name, text[:40]) from None


@frozen(kw_only=True)
class PageReply:
    """What is answered: a template with its values. `status` is that of the answer."""

    template: str
    values: Mapping[str, Any] = Factory(dict)
    status: int = 200


@frozen(kw_only=True)
class Moved:
    """What is answered to a change: where one goes on, and the key of the text that tells what was done."""

    to: str
    told: str = ""
    cookies: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """The address, with what is told there."""
        if not self.told:
            return self.to
        return f"{self.to}{'&' if '?' in self.to else '?'}{urlencode({'done': self.told})}"


@frozen(kw_only=True, eq=False)
class Download:
    """What is answered: a file, which is made while it is sent; `name` is what a browser calls it."""

    name: str
    content_type: str
    pieces: AsyncIterator[bytes]


@frozen(kw_only=True, eq=False)
class PageFile:
    """What is answered: a file, or the part of it that is asked for; with `kept`, the browser stores it under its name."""

    content_type: str
    file: OpenFile
    kept: bool = False


Serve = Callable[[Visit], Awaitable[Any]]


@frozen(kw_only=True, eq=False)
class PageRoute:
    """One method of one address, behind `PREFIX`. `scope` is what the login must be good for; with `superusers`, its user has
    to be one. With `streams`, the answer goes on: what serves it gives an open stream. With `takes_file`, the form has a
    file."""

    method: str
    path: str
    serve: Serve
    scope: Scope = Scope.READ
    superusers: bool = False
    streams: bool = False
    takes_file: bool = False

    @property
    def action(self) -> str:
        """The word for it in the audit log: `campaign.start`."""
        return ".".join(part for part in self.path.split("/") if part and not part.startswith("<"))

    def allows(self, who: Account) -> bool:
        """Whether the user may ask for it."""
        return self.scope in who.scopes and (who.is_superuser or not self.superusers)


def shows(path: str, serve: Serve, **more: Any) -> PageRoute:
    """A GET."""
    return PageRoute(method="GET", path=path, serve=serve, **more)


def changes(path: str, serve: Serve, **more: Any) -> PageRoute:
    """A POST, for operators unless another scope is given."""
    return PageRoute(method="POST", path=path, serve=serve, **{"scope": Scope.DIAL, **more})
