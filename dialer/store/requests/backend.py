"""The API's side of the store: `dialer.interfaces.ApiBackend` on a database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.accounts import NOBODY, verify_password
from dialer.interfaces import FlowControl, Now
from dialer.model import CampaignStatus, Contact, SubscriberStatus
from dialer.numbers import is_emergency
from dialer.records import (
    Account,
    CampaignChange,
    CampaignDraft,
    CampaignRecord,
    ContactRecord,
    PhonebookRecord,
    SubscriberEntry,
)
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.requests import accounts, campaigns, contacts, entered, phonebooks, subscribers
from dialer.store.requests.batch import Batches
from dialer.store.requests.workers import Workers

T = TypeVar("T")

LONG_LIST = 2000
"""Characters of a list of numbers from which on it is read on a thread: about 200 numbers, half a millisecond."""


@define(eq=False)
class StoreBackend:
    """See `dialer.interfaces.ApiBackend`. `flow` is told what changed; `is_refused` tells numbers that are never dialled."""

    database: Database
    reactor: Any
    flow: FlowControl
    now: Now
    is_refused: Callable[[str], bool] = is_emergency
    _batches: Batches = field(init=False)
    _workers: Workers = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._batches = Batches(self.database, self.reactor)
        self._workers = Workers(self.reactor)

    def start(self) -> None:
        """To be called before the first request, when the database is open."""
        self._workers.start()

    def stop(self) -> None:
        """To be called after the last request. Waits for the threads, some tens of milliseconds at most."""
        self._workers.stop()

    def _ask(self, function: Callable[[Connection], T]) -> Deferred[T]:
        return self._batches.ask(function)

    # --- accounts ---------------------------------------------------------------------------------------------------------

    def authenticate(self, username: str, password: str) -> Deferred[Account | None]:
        """See `ApiBackend.authenticate`."""
        return Deferred.fromCoroutine(self._authenticate(username, password))

    async def _authenticate(self, username: str, password: str) -> Account | None:
        found = await self._ask(lambda connection: accounts.find(connection, username))
        account, password_hash = found or (None, "")
        right = await self._workers.run(partial(verify_password, password_hash or NOBODY, password))
        return account if right else None

    def in_thread(self, function: Callable[[], T]) -> Deferred[T]:
        """See `ApiBackend.in_thread`."""
        return self._workers.run(function)

    # --- campaigns --------------------------------------------------------------------------------------------------------

    def campaigns(self, who: Account, statuses: Collection[CampaignStatus]) -> Deferred[list[CampaignRecord]]:
        """See `ApiBackend.campaigns`."""
        return self._ask(lambda connection: campaigns.read_several(connection, who, statuses))

    def campaign(self, who: Account, campaign_id: int) -> Deferred[CampaignRecord]:
        """See `ApiBackend.campaign`."""
        return self._ask(lambda connection: campaigns.read(connection, who, campaign_id))

    def create_campaign(self, who: Account, draft: CampaignDraft) -> Deferred[CampaignRecord]:
        """See `ApiBackend.create_campaign`."""
        checked, now = entered.campaign(draft), self.now()
        return self._changing(self._ask(lambda connection: campaigns.create(connection, who, checked, now)))

    def change_campaign(self, who: Account, campaign_id: int, change: CampaignChange) -> Deferred[CampaignRecord]:
        """See `ApiBackend.change_campaign`."""
        checked, now = entered.campaign(change), self.now()
        done = self._ask(lambda connection: campaigns.change(connection, who, campaign_id, checked, now))
        return self._changing(done.addCallback(self._obeyed, change.status))

    def _obeyed(self, record: CampaignRecord, wanted: CampaignStatus | None) -> CampaignRecord:
        """The database begins no attempt any more; what was begun before and waits for its moment must not go out either."""
        if wanted is CampaignStatus.ABORT:
            self.flow.hang_up(record.id)
        elif wanted in (CampaignStatus.PAUSE, CampaignStatus.END):
            self.flow.release(record.id)
        return record

    # --- phonebooks -------------------------------------------------------------------------------------------------------

    def phonebooks(self, who: Account) -> Deferred[list[PhonebookRecord]]:
        """See `ApiBackend.phonebooks`."""
        return self._ask(lambda connection: phonebooks.read_all(connection, who))

    def phonebook(self, who: Account, phonebook_id: int) -> Deferred[PhonebookRecord]:
        """See `ApiBackend.phonebook`."""
        return self._ask(lambda connection: phonebooks.read(connection, who, phonebook_id))

    def create_phonebook(
        self, who: Account, name: str, description: str, campaign_id: int | None
    ) -> Deferred[PhonebookRecord]:
        """See `ApiBackend.create_phonebook`."""
        now = self.now()
        return self._ask(lambda connection: phonebooks.create(connection, who, name, description, campaign_id, now))

    # --- contacts ---------------------------------------------------------------------------------------------------------

    def create_contact(self, who: Account, phonebook_id: int, contact: Contact) -> Deferred[ContactRecord]:
        """See `ApiBackend.create_contact`."""
        checked, now = entered.contact(contact, self.is_refused), self.now()
        return self._changing(self._ask(lambda connection: contacts.create(connection, who, phonebook_id, checked, now)))

    def create_contacts(self, who: Account, phonebook_id: int, numbers: str) -> Deferred[int]:
        """See `ApiBackend.create_contacts`."""
        return self._changing(Deferred.fromCoroutine(self._create_contacts(who, phonebook_id, numbers)))

    async def _create_contacts(self, who: Account, phonebook_id: int, numbers: str) -> int:
        read = partial(entered.numbers, numbers, self.is_refused)
        checked = read() if len(numbers) < LONG_LIST else await self._workers.run(read)
        now = self.now()
        return await self._ask(lambda connection: contacts.create_several(connection, who, phonebook_id, checked, now))

    # --- subscribers ------------------------------------------------------------------------------------------------------

    def subscribers(
        self, who: Account, campaign_id: int, number: str | None, *, pending: bool
    ) -> Deferred[Sequence[SubscriberEntry]]:
        """See `ApiBackend.subscribers`. Read page by page, so that the flow's transactions find their way between."""
        return Deferred.fromCoroutine(self._subscribers(who, campaign_id, number, pending))

    async def _subscribers(
        self, who: Account, campaign_id: int, number: str | None, pending: bool
    ) -> Sequence[SubscriberEntry]:
        if number is not None:
            wanted = entered.parse_number(number)
            return await self._ask(lambda connection: subscribers.read_one(connection, who, campaign_id, wanted))
        found: list[SubscriberEntry] = []
        after: str | None = ""
        while after is not None:
            read = partial(subscribers.read_page, who=who, campaign_id=campaign_id, after=after, pending=pending)
            page = await self._ask(read)
            found += page.entries
            after = page.after
        found.sort(key=_by_contact)
        return found

    def set_subscriber_status(
        self, who: Account, campaign_id: int, number: str, status: SubscriberStatus
    ) -> Deferred[ContactRecord]:
        """See `ApiBackend.set_subscriber_status`."""
        wanted, now = entered.parse_number(number), self.now()
        done = self._ask(lambda connection: subscribers.set_status(connection, who, campaign_id, wanted, status, now))
        return self._changing(done)

    def _changing(self, done: Deferred[T]) -> Deferred[T]:
        """The flow looks at once at what was changed."""

        def changed(result: T) -> T:
            self.flow.call_soon()
            return result

        return done.addCallback(changed)


def _by_contact(entry: SubscriberEntry) -> int:
    return entry.contact_id
