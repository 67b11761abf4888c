"""Finding what exists by name."""

from __future__ import annotations

from attrs import define, frozen
from twisted.internet.defer import Deferred

from dialer.model import CampaignStatus
from dialer.store.connection import Connection
from dialer.store.database import Database

CAMPAIGNS = (
    "SELECT c.id, c.name, c.status, (SELECT min(l.phonebook_id) FROM campaign_phonebook l WHERE l.campaign_id = c.id), "
    "EXISTS (SELECT 1 FROM subscriber_count n WHERE n.campaign_id = c.id AND n.status IN (1, 2, 6) AND n.subscribers > 0) "
    "FROM campaign c WHERE c.user_id = ? ORDER BY c.id"
)


@frozen(kw_only=True)
class CampaignEntry:
    """A campaign in a list: `phonebook_id` is its first phonebook, `unfinished` whether a contact of it is left to call."""

    id: int
    name: str
    status: CampaignStatus
    phonebook_id: int | None
    unfinished: bool


@define(eq=False)
class Lookup:
    """Fails with: `StoreError`."""

    database: Database

    def user(self, username: str) -> Deferred[int | None]:
        """The id of a user, None when there is none of that name."""
        return self._id("SELECT id FROM user_account WHERE username = ?", username)

    def campaigns(self, user_id: int) -> Deferred[list[CampaignEntry]]:
        """A user's campaigns, the oldest first."""

        def read(connection: Connection) -> list[CampaignEntry]:
            return [
                CampaignEntry(
                    id=key, name=name, status=CampaignStatus(status), phonebook_id=phonebook_id, unfinished=bool(unfinished)
                )
                for key, name, status, phonebook_id, unfinished in connection.execute(CAMPAIGNS, (user_id,))
            ]

        return self.database.run(read)

    def _id(self, statement: str, name: str) -> Deferred[int | None]:
        def read(connection: Connection) -> int | None:
            row = connection.execute(statement, (name,)).fetchone()
            return None if row is None else int(row[0])

        return self.database.run(read)
