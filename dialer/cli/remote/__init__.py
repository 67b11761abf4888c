"""Commands at a distance: `dialer --server URL` asks the API v2 of a dialer for what they ask the database for otherwise.

A command asks use cases, and does not know of which kind its management is. Here, each use case has the call of the API that
means the same: the modules have them by nouns, in `ASKED`, by the use case. What may be seen and done is what the login may
see and do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from dialer.cli.frame import TOKEN
from dialer.cli.passwords import text_of
from dialer.cli.remote import (
    accounts,
    caller_ids,
    calls,
    campaigns,
    contacts,
    courses,
    do_not_call,
    gateways,
    imports,
    installation,
    rules,
    webhooks,
)
from dialer.client import ApiRefused, Client
from dialer.client.calls import bearer
from dialer.errors import BadValue, WrongState
from dialer.interfaces import WebhookSender
from dialer.management.management import NoSender
from dialer.numbering import Numbering, numbering
from dialer.wall_clock import utc_now

T = TypeVar("T")

_ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    use_case: call
    for noun in (
        accounts,
        caller_ids,
        calls,
        campaigns,
        contacts,
        courses,
        do_not_call,
        gateways,
        imports,
        installation,
        rules,
        webhooks,
    )
    for use_case, call in noun.ASKED.items()
}
"""By the use case, whose arguments they get behind the client."""


def asked_there(arguments: argparse.Namespace, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do something by the API of a dialer. Raises what `work` raises, `Refused` and `Unreachable`."""
    with _client_of(arguments) as client:
        results: list[Any] = []
        Deferred.fromCoroutine(_awaited(work(RemoteManagement(client)))).addBoth(results.append)
        (result,) = results  # each call waits for its answer
        if isinstance(result, Failure):
            result.raiseException()
        found: T = result
        return found


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def followed_there(arguments: argparse.Namespace, wanted: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Events as they happen there, without end. Raises `BadValue`, `Refused` and `Unreachable`."""
    with _client_of(arguments) as client:
        try:
            yield from client.events(**wanted)
        except ApiRefused as error:
            raise _meant(error) from None


def _client_of(arguments: argparse.Namespace) -> Client:
    """The client that the options of a command mean. Raises `BadValue`."""
    return Client(arguments.server, bearer(_token(arguments.token_file)))


def _token(file: str | None) -> str:
    text = os.environ.get(TOKEN, "") if file is None else text_of(file, "--token-file", one_line=True)
    token = text.strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise BadValue("--token-file", f"holds no token; give one, or set {TOKEN}")
    return token


@define(eq=False)
class RemoteManagement:
    """Stands for `Management` where the database is far away. Its numbering is that of no region: numbers are read there."""

    client: Client
    sender: WebhookSender = field(factory=NoSender)
    receivers: Any = None
    numbering: Numbering = field(factory=numbering)

    def now(self) -> datetime:
        """The moment, by the clock of this machine."""
        return utc_now()

    def ask(self, use_case: Callable[..., Any], *args: Any, **more: Any) -> Deferred[Any]:
        """Fires with what the use case returns. Fails with what it raises, as far as the API tells, with `Refused` and
        `Unreachable`."""
        try:
            return succeed(_ASKED[use_case](self.client, *args, **more))
        except ApiRefused as error:
            return fail(_meant(error))
        except Exception:
            return fail(Failure())

    ask_in_turn = ask
    perform = ask

    async def iterate(self, work: Callable[..., Any], *args: Any) -> AsyncIterator[Any]:
        """The same for what comes in pieces."""
        try:
            for each in _ASKED[work](self.client, *args):
                yield each
        except ApiRefused as error:
            raise _meant(error) from None


def _meant(error: ApiRefused) -> Exception:
    """A value that is not acceptable, as the command line tells of it."""
    field, told, problem = str(error).partition(": ")
    if error.kind == "bad-value" and not error.errors and told:
        return BadValue(field, problem)
    for flaw in error.errors if error.kind in ("bad-value", "already-exists") else ():
        name = flaw.get("parameter") or flaw.get("pointer", "").removeprefix("#/")
        return BadValue(name, flaw["detail"])
    return WrongState(str(error)) if error.kind == "wrong-state" else error
