"""A client of the API v2, for programs: `Client` waits for each answer, `AsyncClient` gives Deferreds.

Answers are dictionaries, whose members type checkers know (`dialer.client.objects`). A POST has an `Idempotency-Key`, so that
what was asked for happens once, however often it has to be sent. Lists are iterators, which fetch page after page.
"""

from dialer.client.calls import ApiRefused, Unreachable
from dialer.client.deferred import AsyncClient
from dialer.client.waiting import Client

__all__ = ["ApiRefused", "AsyncClient", "Client", "Unreachable"]
