"""Use cases that read for seconds: on a connection of their own, so that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.management.management import Management, Transaction
from dialer.store.reading import DatabaseReading

T = TypeVar("T")
P = ParamSpec("P")


@define(eq=False)
class LongReading:
    """Asks verbs that write nothing. To be closed."""

    management: Management
    _reading: DatabaseReading = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reading = self.management.database.reading()

    def ask(self, use_case: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Fires with what the use case returns, all of whose statements see the same moment. Fails as `Management.ask`
        does."""
        return self._reading.run(self.management.on_connection(use_case, *args, **kwargs))

    def close(self) -> None:
        """Ask no more."""
        self._reading.close()
