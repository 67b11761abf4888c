"""The store for a command that does one thing and ends: no reactor, the calling thread waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from zope.interface import implementer

from dialer.cli.frame import works_at_a_distance
from dialer.config import load_config
from dialer.hooks.addresses import AddressRules
from dialer.rule_files import rule_book
from dialer.rules.book import RuleBook
from dialer.store.database import Database
from dialer.store.location import absolute_url

T = TypeVar("T")


def config_option(parser: Any) -> None:
    """Say that a command reads the configuration: `arguments.config` is that which was named, or else found; at a distance,
    none."""
    parser.set_defaults(needs_config=True)
    works_at_a_distance(parser)


def database_url(config: Path) -> str:
    """Where the database of a configuration file is. Raises `BadValue`."""
    return absolute_url(load_config(config).database.url, config.absolute().parent)


def own_emergency_numbers(config: Path) -> frozenset[str]:
    """Those that the configuration lists. Raises `BadValue`."""
    return load_config(config).numbers.emergency


def are_caller_ids_strict(config: Path) -> bool:
    """Whether calls show numbers of pools only, by the configuration. Raises `BadValue`."""
    return load_config(config).numbers.caller_id_strict


def receivers(config: Path) -> AddressRules:
    """What webhooks may be, by the configuration. Raises `BadValue`."""
    settings = load_config(config).webhooks
    return AddressRules(settings.allow, settings.http)


def rules(config: Path) -> RuleBook:
    """The calling rules, by the configuration. Raises `BadValue`."""
    return rule_book(load_config(config).rules, config.absolute().parent)


def with_database(url: str, work: Callable[[Database], Awaitable[T]], *, dialling: bool = False) -> T:
    """Open the database at `url`, beside a dialer that may be running, do `work` with it, and close it. With `dialling`, no
    dialer may be running, nor start meanwhile. Raises what `work` raises, and `StoreError` when the database does not
    serve."""
    turns = _Turns()
    database = Database(url, turns, dialling=dialling)

    async def perform() -> T:
        await database.start()
        try:
            return await work(database)
        finally:
            await database.stop()

    return turns.wait(perform())


@implementer(IReactorFromThreads)
@define(eq=False)
class _Turns:
    """The part of a reactor that the database needs: functions that other threads hand in run on the thread that waits."""

    _queue: SimpleQueue[Callable[[], object]] = field(factory=SimpleQueue, init=False)

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: N802
        self._queue.put(lambda: callable(*args, **kwargs))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)
        while not results:
            self._queue.get()()
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        return result
