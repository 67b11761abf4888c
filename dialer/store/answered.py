"""The reads and writes of voice applications: `dialer.interfaces.ApplicationStore` on a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import define
from twisted.internet.defer import Deferred

from dialer.interfaces import Now
from dialer.model import CallRules, Candidate, Contact, DoNotCallEntry, Gateway
from dialer.model.do_not_call import EVERYBODYS
from dialer.store import do_not_call, mapping, statements
from dialer.store.call_rules import call_rules
from dialer.store.connection import Connection
from dialer.store.database import Database


@define(eq=False)
class AnsweredCalls:
    """`dialer.interfaces.ApplicationStore` on a database."""

    database: Database
    now: Now

    def contact(self, contact_id: int) -> Deferred[Contact | None]:
        def read(connection: Connection) -> Contact | None:
            row = connection.execute(statements.CONTACT, (contact_id,)).fetchone()
            if row is None:
                return None
            return mapping.read_contact(row)

        return self.database.run(read)

    def parties(self, gateway_id: int | None, contact_id: int) -> Deferred[tuple[Gateway | None, Contact | None]]:
        def read(connection: Connection) -> tuple[Gateway | None, Contact | None]:
            gateway = connection.execute(statements.GATEWAY, (gateway_id,)).fetchone() if gateway_id is not None else None
            contact = connection.execute(statements.CONTACT, (contact_id,)).fetchone()
            return (
                None if gateway is None else mapping.read_gateway(gateway),
                None if contact is None else mapping.read_contact(contact),
            )

        return self.database.run(read)

    def gateways(self) -> Deferred[list[Gateway]]:
        return self.database.run(
            lambda connection: [mapping.read_gateway(row) for row in connection.execute(statements.GATEWAYS)]
        )

    def call_rules(self, user_id: int, identities: Sequence[str], campaign_id: int = 0) -> Deferred[CallRules]:
        return self.database.run(lambda connection: call_rules(connection, user_id, identities, self.now(), campaign_id))

    def never_call(self, candidate: Candidate, now: datetime, reason: str) -> Deferred[None]:
        def add(connection: Connection) -> None:
            entry = DoNotCallEntry(number=candidate.number, identity=candidate.identity, reason=reason, source="call")
            do_not_call.add(connection, EVERYBODYS, [entry], "callee", now)

        return self.database.run(add)
