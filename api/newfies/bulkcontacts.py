"""`bulkcontact/`: many contacts at once, by their numbers alone."""

from __future__ import annotations

from typing import Annotated, Self

from attrs import define
from pydantic import model_validator
from twisted.internet.defer import Deferred

from api.errors import Refusal
from api.routes import Attributes, route
from dialer.errors import AlreadyExists, LimitExceeded, NotFound
from dialer.kinds import LARGEST_ID, Numbers, Whole
from dialer.management import Management, contacts
from dialer.model import Account

Listed = Annotated[str | list[str] | None, Numbers()]

TOO_MANY = Refusal(
    LimitExceeded, "contacts", 400, "You have too many contacts per campaign. You are allowed a maximum of {maximum}"
)
NO_PHONEBOOK = Refusal(NotFound, "phonebook", 400, "The PhoneBook ID doesn't exist!")
DUPLICATE = Refusal(AlreadyExists, "contact", 409, "The contact duplicated {name}!")


class NewContacts(Attributes):
    """Numbers separated by commas, or a JSON list of them: the document calls them `contact`, its examples `phoneno_list`."""

    phonebook_id: Annotated[int, Whole(1, LARGEST_ID)]
    phoneno_list: Listed = None
    contact: Listed = None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.phoneno_list is None) == (self.contact is None):
            raise ValueError("expected one of phoneno_list and contact, which mean the same: numbers separated by commas")
        return self


def count(created: int) -> int:
    """The bare number."""
    return created


@define(eq=False)
class BulkContacts:
    """The resource."""

    management: Management

    @route(
        "POST",
        "bulkcontact/",
        schema=NewContacts,
        answer=int,
        encode=count,
        refusals=(TOO_MANY, NO_PHONEBOOK, DUPLICATE),
        names={"number": "contact"},
    )
    def create(self, who: Account, given: NewContacts) -> Deferred[int]:
        """Add many contacts to a phonebook: all or none. Answers with their number."""
        listed = given.phoneno_list if given.phoneno_list is not None else given.contact or ""
        created = contacts.create_listed(self.management, who, given.phonebook_id, listed, "phoneno_list")
        return Deferred.fromCoroutine(created)
