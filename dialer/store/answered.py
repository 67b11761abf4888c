"""The reads and writes of voice applications: `dialer.interfaces.ApplicationStore` on a database."""

from __future__ import annotations

from datetime import datetime

from attrs import define
from twisted.internet.defer import Deferred

from dialer.model import Candidate, Contact, Gateway
from dialer.store import mapping, statements
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.times import to_column


@define(eq=False)
class AnsweredCalls:
    """`dialer.interfaces.ApplicationStore` on a database."""

    database: Database

    def contact(self, contact_id: int) -> Deferred[Contact | None]:
        def read(connection: Connection) -> Contact | None:
            row = connection.execute(statements.CONTACT, (contact_id,)).fetchone()
            if row is None:
                return None
            return mapping.read_contact(row)

        return self.database.run(read)

    def gateway(self, gateway_id: int) -> Deferred[Gateway | None]:
        def read(connection: Connection) -> Gateway | None:
            row = connection.execute(statements.GATEWAY, (gateway_id,)).fetchone()
            return None if row is None else mapping.read_gateway(row)

        return self.database.run(read)

    def never_call(self, candidate: Candidate, now: datetime, reason: str) -> Deferred[None]:
        def add(connection: Connection) -> None:
            connection.execute(statements.FORBID_NUMBER, (candidate.number, candidate.identity, reason, to_column(now)))

        return self.database.run(add)
