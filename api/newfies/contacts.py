"""`contact/`: contacts of phonebooks, and what became of them as subscribers of campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, NoReturn, Self

from attrs import define
from pydantic import Field, model_validator
from twisted.internet.defer import Deferred

from api.errors import HttpError, Refusal
from api.long_answers import LongAnswer
from api.newfies.answers import STATES, Date, NewfiesAnswer, PhonebookAnswer, date, encoder, model, named, phonebook, schema
from api.newfies.bulkcontacts import NO_PHONEBOOK, TOO_MANY
from api.routes import Attributes, route
from api.whole_lists import whole
from dialer import kinds
from dialer.errors import AlreadyExists, NotFound
from dialer.kinds import LARGEST_ID, Text, Variables, Whole, Word
from dialer.management import Management, contacts, subscribers
from dialer.model import Account, Contact, ContactDetails, SubscriberReport, SubscriberStatus

Id = Annotated[int, Whole(1, LARGEST_ID)]
Number = Annotated[str, kinds.Number(64, 1)]
"""Whether it is a number, the backend knows."""
Name = Annotated[str, Text(255)]

NAMES: Final = named(Contact)
LONGEST_PAGE: Final = 10_000
"""Subscribers in one page."""
NO_CAMPAIGN_ID = "No value for Campaign ID !"
DUPLICATE = Refusal(AlreadyExists, "contact", 409, "The contact duplicated {name}")
CAMPAIGN_NOT_FOUND = Refusal(NotFound, "campaign", 404, "Campaign not found.")
SUBSCRIBER_NOT_FOUND = Refusal(NotFound, "subscriber", 404, "CampaignSubscriber is not found")


class NewContact(Attributes):
    """What a contact is made of. `name` is its whole name, in place of `last_name` and `first_name`."""

    contact: Number
    phonebook_id: Id
    name: Name = ""
    last_name: Name = ""
    first_name: Name = ""
    email: Name = ""
    description: Annotated[str, Text(2000, lines=True)] = ""
    additional_vars: Annotated[Mapping[str, str], Variables()] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.name and (self.last_name or self.first_name):
            raise ValueError("name is the whole name; expected it, or last_name and first_name")
        return self

    def as_contact(self) -> Contact:
        """For the use case, by our names. A whole name is kept as the last one, since nobody can tell where it is to be
        divided."""
        given = {ours: getattr(self, theirs) for ours, theirs in _ENTERED.items()}
        return Contact(**{**given, "last_name": self.name or self.last_name})


_ENTERED: Final = {ours: theirs for ours, theirs in NAMES.items() if theirs in NewContact.model_fields}


class NoCampaign(Attributes):
    """The address without a campaign's id, which is refused."""


class SubscriberList(Attributes):
    """Whose subscribers; the pending ones unless others are asked for. With `limit` or `after`, a page in the order of the
    numbers, behind the number `after`."""

    campaign_id: Id
    status: Annotated[str | None, Word(("all", *STATES.values()), len(SubscriberStatus))] = None
    limit: Annotated[int | None, Whole(1, LONGEST_PAGE)] = None
    after: Annotated[str | None, kinds.Number(64, 1)] = None

    def statuses(self) -> frozenset[SubscriberStatus]:
        """Which ones."""
        if self.status is None:
            return subscribers.PENDING
        return _STATUSES.get(self.status) or frozenset({SubscriberStatus(int(self.status))})


_STATUSES: Final = {
    "all": frozenset(SubscriberStatus),
    **{word: frozenset({status}) for status, word in STATES.items()},
}


class SubscriberChoice(Attributes):
    """The subscriber of a number, whatever its status."""

    campaign_id: Id
    status: Annotated[str | None, Word(("all",))] = None
    contact: Number


class SubscriberChange(Attributes):
    """1 START, 2 PAUSE, 3 ABORT, 4 FAIL, 5 COMPLETE."""

    campaign_id: Id
    contact: Number
    status: Annotated[int, Whole(1, 5)]


class SubscriberAnswer(NewfiesAnswer):
    """A subscriber in a list. `status` is null while it is pending and was never attempted; `disposition` and `reason` are
    those of its last attempt, `next_attempt` is when it is called again at the earliest, while it waits."""

    status: int | None
    contact_id: int
    last_attempt: Date | None
    count_attempt: int
    contact: str
    disposition: str | None
    reason: str | None
    next_attempt: Date | None


_encode = encoder(Contact, ("id", "created_at", "updated_at"))
_DATES: Final = {"created_date": (Date, ...), "updated_date": (Date, ...)}
_SHOWN: Final = ("number", "last_name", "first_name", "email", "description", "additional_vars")

_fields = schema(Contact, ("id", "created_at", "updated_at"))
ContactFields = model(
    "ContactDetails",
    "The contact itself.",
    {
        "status": (int, ...),
        **{NAMES[name]: _fields[NAMES[name]] for name in _SHOWN},
        "description": (str | None, ...),
        "phonebook": (PhonebookAnswer, ...),
        **_DATES,
    },
)
NamedContactFields = model("NamedContactDetails", "The same with its whole name.", {"name": (str, ...)}, ContactFields)


class ContactAnswer(NewfiesAnswer):
    """A contact as a subscriber: `id` and `status` are those of the subscriber, or of the contact when it is none."""

    id: int
    status: int
    contact: ContactFields  # type: ignore[valid-type]


class ChangedContactAnswer(NewfiesAnswer):
    """The same after a change of its status."""

    id: int
    status: int
    contact: NamedContactFields  # type: ignore[valid-type]


def contact(details: ContactDetails) -> dict[str, Any]:
    """A contact in an answer: `ContactAnswer`."""
    value, shown = details.contact, _encode(details.contact)
    fields = {
        "status": 1,
        **{NAMES[name]: shown[NAMES[name]] for name in _SHOWN},
        "description": value.description or None,
        "phonebook": phonebook(details.phonebook),
        "created_date": date(value.created_at),
        "updated_date": date(value.updated_at),
    }
    return {"id": details.id, "status": int(details.status), "contact": fields}


def changed_contact(details: ContactDetails) -> dict[str, Any]:
    """A contact whose status was changed: `ChangedContactAnswer`."""
    encoded = contact(details)
    encoded["contact"]["name"] = f"{details.contact.last_name} {details.contact.first_name}".strip()
    return encoded


def subscriber(found: SubscriberReport) -> dict[str, Any]:
    """A subscriber in a list: `SubscriberAnswer`."""
    entry = found.subscriber
    return {
        "status": None if entry.untouched else int(entry.status),
        "contact_id": entry.contact_id,
        "last_attempt": None if entry.last_attempt_at is None else date(entry.last_attempt_at),
        "count_attempt": entry.count_attempt,
        "contact": entry.number,
        "disposition": None if found.disposition is None else str(found.disposition),
        "reason": found.reason,
        "next_attempt": None if found.next_attempt_at is None else date(found.next_attempt_at),
    }


def several(found: Sequence[SubscriberReport]) -> list[dict[str, Any]]:
    """A list of answers."""
    return [subscriber(each) for each in found]


@define(eq=False)
class Contacts:
    """The resource."""

    management: Management

    @route(
        "POST",
        "contact/",
        schema=NewContact,
        answer=ContactAnswer,
        encode=contact,
        refusals=(TOO_MANY, NO_PHONEBOOK, DUPLICATE),
        names=NAMES,
    )
    def create(self, who: Account, given: NewContact) -> Deferred[ContactDetails]:
        """Add a contact to a phonebook; it becomes a subscriber of the campaigns that use it."""
        return self.management.ask(contacts.create, who, given.phonebook_id, given.as_contact())

    @route("GET", "contact/", schema=NoCampaign, answer=None, encode=contact)
    def read_nothing(self, who: Account, given: NoCampaign) -> NoReturn:
        """Refused: a campaign has to be named."""
        raise HttpError(400, NO_CAMPAIGN_ID)

    @route(
        "GET",
        "contact/<campaign_id>/",
        schema=SubscriberList,
        answer=list[SubscriberAnswer],
        encode=several,
        refusals=(CAMPAIGN_NOT_FOUND,),
    )
    def read_all(self, who: Account, given: SubscriberList) -> Deferred[list[SubscriberReport] | LongAnswer]:
        """The pending subscribers of a campaign, or those of other statuses; whole or by pages."""
        management, key, statuses = self.management, given.campaign_id, given.statuses()
        if given.limit is None and given.after is None:
            pages = partial(subscribers.read_pages, management, who, key, statuses)
            return Deferred.fromCoroutine(whole(management, pages, lambda each: each.subscriber.contact_id, subscriber))
        limit = LONGEST_PAGE if given.limit is None else given.limit
        return Deferred.fromCoroutine(subscribers.some(management, who, key, statuses, given.after or "", limit))

    @route(
        "GET",
        "contact/<campaign_id>/<contact>/",
        schema=SubscriberChoice,
        answer=list[SubscriberAnswer],
        encode=several,
        refusals=(CAMPAIGN_NOT_FOUND,),
        names=NAMES,
    )
    def read(self, who: Account, given: SubscriberChoice) -> Deferred[list[SubscriberReport]]:
        """The subscriber of a number in a campaign: a list of one, or of none."""
        return self.management.ask(subscribers.one, who, given.campaign_id, given.contact)

    @route(
        "PUT",
        "contact/<campaign_id>/<contact>/",
        schema=SubscriberChange,
        answer=ChangedContactAnswer,
        encode=changed_contact,
        refusals=(SUBSCRIBER_NOT_FOUND,),
        names=NAMES,
    )
    def change(self, who: Account, given: SubscriberChange) -> Deferred[ContactDetails]:
        """Set the status of a subscriber; while a call of it is live, it takes effect when that ends."""
        status = SubscriberStatus(given.status)
        return self.management.ask(subscribers.set_status, who, given.campaign_id, given.contact, status)
