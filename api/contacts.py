"""`contact/`: contacts of phonebooks, and what became of them as subscribers of campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

from attrs import define
from pydantic import Field
from twisted.internet.defer import Deferred

from api.answers import Answer, Date, PhonebookAnswer, date, phonebook
from api.attributes import LARGEST_ID, Text, Variables, Whole, Word, variables_text
from api.bulkcontacts import NO_PHONEBOOK, TOO_MANY
from api.errors import HttpError, Refusal
from api.routes import Attributes, route
from dialer.errors import AlreadyExists, NotFound
from dialer.interfaces import ApiBackend
from dialer.model import Contact, SubscriberStatus
from dialer.records import Account, ContactRecord, SubscriberEntry

Id = Annotated[int, Whole(1, LARGEST_ID)]
Number = Annotated[str, Text(64, 1)]
"""Whether it is a number, the backend knows."""
Name = Annotated[str, Text(255)]

NO_CAMPAIGN_ID = "No value for Campaign ID !"
DUPLICATE = Refusal(AlreadyExists, "contact", 409, "The contact duplicated {name}")
CAMPAIGN_NOT_FOUND = Refusal(NotFound, "campaign", 404, "Campaign not found.")
SUBSCRIBER_NOT_FOUND = Refusal(NotFound, "subscriber", 404, "CampaignSubscriber is not found")


class NewContact(Attributes):
    """What a contact is made of."""

    contact: Number
    phonebook_id: Id
    last_name: Name = ""
    first_name: Name = ""
    email: Name = ""
    description: Annotated[str, Text(2000, lines=True)] = ""
    additional_vars: Annotated[Mapping[str, str], Variables()] = Field(default_factory=dict)

    def as_contact(self) -> Contact:
        """For the backend."""
        return Contact(
            number=self.contact,
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            description=self.description,
            additional_vars=self.additional_vars,
        )


class NoCampaign(Attributes):
    """The address without a campaign's id, which is refused."""


class SubscriberList(Attributes):
    """Whose subscribers; the pending ones unless all are asked for."""

    campaign_id: Id
    status: Annotated[str | None, Word(("all",))] = None


class SubscriberChoice(SubscriberList):
    """The subscriber of a number, whatever its status."""

    contact: Number


class SubscriberChange(Attributes):
    """1 START, 2 PAUSE, 3 ABORT, 4 FAIL, 5 COMPLETE."""

    campaign_id: Id
    contact: Number
    status: Annotated[int, Whole(1, 5)]


class SubscriberAnswer(Answer):
    """A subscriber in a list. `status` is null while it is pending and was never attempted."""

    status: int | None
    contact_id: int
    last_attempt: Date | None
    count_attempt: int


class ContactDetails(Answer):
    """The contact itself."""

    status: int
    contact: str
    last_name: str
    first_name: str
    email: str
    description: str | None
    additional_vars: str
    phonebook: PhonebookAnswer
    created_date: Date
    updated_date: Date


class NamedContactDetails(ContactDetails):
    """The same with its whole name."""

    name: str


class ContactAnswer(Answer):
    """A contact as a subscriber: `id` and `status` are those of the subscriber, or of the contact when it is none."""

    id: int
    status: int
    contact: ContactDetails


class ChangedContactAnswer(Answer):
    """The same after a change of its status."""

    id: int
    status: int
    contact: NamedContactDetails


def contact(record: ContactRecord) -> dict[str, Any]:
    """As `ContactAnswer`."""
    details = {
        "status": 1,
        "contact": record.number,
        "last_name": record.last_name,
        "first_name": record.first_name,
        "email": record.email,
        "description": record.description or None,
        "additional_vars": variables_text(record.additional_vars) if record.additional_vars else "",
        "phonebook": phonebook(record.phonebook),
        "created_date": date(record.created_at),
        "updated_date": date(record.updated_at),
    }
    return {"id": record.id, "status": int(record.status), "contact": details}


def changed_contact(record: ContactRecord) -> dict[str, Any]:
    """As `ChangedContactAnswer`."""
    encoded = contact(record)
    encoded["contact"]["name"] = f"{record.last_name} {record.first_name}".strip()
    return encoded


def subscribers(entries: Sequence[SubscriberEntry]) -> list[dict[str, Any]]:
    """A list of `SubscriberAnswer`."""
    return [
        {
            "status": None if entry.untouched else int(entry.status),
            "contact_id": entry.contact_id,
            "last_attempt": None if entry.last_attempt_at is None else date(entry.last_attempt_at),
            "count_attempt": entry.count_attempt,
        }
        for entry in entries
    ]


@define(eq=False)
class Contacts:
    """The resource."""

    backend: ApiBackend

    @route(
        "POST",
        "contact/",
        schema=NewContact,
        answer=ContactAnswer,
        encode=contact,
        refusals=(TOO_MANY, NO_PHONEBOOK, DUPLICATE),
    )
    def create(self, who: Account, given: NewContact) -> Deferred[ContactRecord]:
        """Add a contact to a phonebook; it becomes a subscriber of the campaigns that use it."""
        return self.backend.create_contact(who, given.phonebook_id, given.as_contact())

    @route("GET", "contact/", schema=NoCampaign, answer=None, encode=contact)
    def read_nothing(self, who: Account, given: NoCampaign) -> NoReturn:
        """Refused: a campaign has to be named."""
        raise HttpError(400, NO_CAMPAIGN_ID)

    @route(
        "GET",
        "contact/<campaign_id>/",
        schema=SubscriberList,
        answer=list[SubscriberAnswer],
        encode=subscribers,
        refusals=(CAMPAIGN_NOT_FOUND,),
    )
    def read_all(self, who: Account, given: SubscriberList) -> Deferred[Sequence[SubscriberEntry]]:
        """The pending subscribers of a campaign, or all of them."""
        return self.backend.subscribers(who, given.campaign_id, None, pending=given.status is None)

    @route(
        "GET",
        "contact/<campaign_id>/<contact>/",
        schema=SubscriberChoice,
        answer=list[SubscriberAnswer],
        encode=subscribers,
        refusals=(CAMPAIGN_NOT_FOUND,),
    )
    def read(self, who: Account, given: SubscriberChoice) -> Deferred[Sequence[SubscriberEntry]]:
        """The subscriber of a number in a campaign: a list of one, or of none."""
        return self.backend.subscribers(who, given.campaign_id, given.contact, pending=False)

    @route(
        "PUT",
        "contact/<campaign_id>/<contact>/",
        schema=SubscriberChange,
        answer=ChangedContactAnswer,
        encode=changed_contact,
        refusals=(SUBSCRIBER_NOT_FOUND,),
    )
    def change(self, who: Account, given: SubscriberChange) -> Deferred[ContactRecord]:
        """Set the status of a subscriber; while a call of it is live, it takes effect when that ends."""
        status = SubscriberStatus(given.status)
        return self.backend.set_subscriber_status(who, given.campaign_id, given.contact, status)
