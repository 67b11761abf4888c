"""`phonebook/`: lists of contacts."""

from __future__ import annotations

from typing import Annotated, Any

from attrs import define
from twisted.internet.defer import Deferred

from api.answers import PhonebookAnswer, phonebook
from api.attributes import LARGEST_ID, Text, Whole
from api.errors import Refusal
from api.routes import Attributes, route
from dialer.errors import AlreadyExists, NotFound
from dialer.interfaces import ApiBackend
from dialer.records import Account, PhonebookRecord

Id = Annotated[int, Whole(1, LARGEST_ID)]

NOT_FOUND = Refusal(NotFound, "phonebook", 404, "Phonebook not found")
NO_CAMPAIGN = Refusal(NotFound, "campaign", 400, "The Campaign ID doesn't exist!")
DUPLICATE = Refusal(AlreadyExists, "phonebook", 409, "Error adding Phonebook!")


class PhonebookList(Attributes):
    """Nothing to choose from."""


class PhonebookChoice(Attributes):
    """Which one."""

    phonebook_id: Id


class NewPhonebook(Attributes):
    """What a phonebook is made of."""

    name: Annotated[str, Text(255, 1)]
    description: Annotated[str, Text(2000, lines=True)] = ""
    campaign_id: Annotated[int | None, Whole(1, LARGEST_ID)] = None


def phonebooks(records: list[PhonebookRecord]) -> list[dict[str, Any]]:
    """A list of answers."""
    return [phonebook(record) for record in records]


@define(eq=False)
class Phonebooks:
    """The resource."""

    backend: ApiBackend

    @route("GET", "phonebook/", schema=PhonebookList, answer=list[PhonebookAnswer], encode=phonebooks)
    def read_all(self, who: Account, given: PhonebookList) -> Deferred[list[PhonebookRecord]]:
        """All phonebooks, the newest first."""
        return self.backend.phonebooks(who)

    @route(
        "GET",
        "phonebook/<phonebook_id>/",
        schema=PhonebookChoice,
        answer=PhonebookAnswer,
        encode=phonebook,
        refusals=(NOT_FOUND,),
    )
    def read(self, who: Account, given: PhonebookChoice) -> Deferred[PhonebookRecord]:
        """One phonebook."""
        return self.backend.phonebook(who, given.phonebook_id)

    @route(
        "POST",
        "phonebook/",
        schema=NewPhonebook,
        answer=PhonebookAnswer,
        encode=phonebook,
        refusals=(NO_CAMPAIGN, DUPLICATE),
    )
    def create(self, who: Account, given: NewPhonebook) -> Deferred[PhonebookRecord]:
        """Create a phonebook, and link it to a campaign when one is named."""
        return self.backend.create_phonebook(who, given.name, given.description, given.campaign_id)
