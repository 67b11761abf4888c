"""`phonebook/`: lists of contacts."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from attrs import define
from twisted.internet.defer import Deferred

from api.errors import Refusal
from api.long_answers import LongAnswer
from api.newfies.answers import PhonebookAnswer, phonebook
from api.routes import Attributes, route
from api.whole_lists import whole
from dialer.errors import AlreadyExists, NotFound
from dialer.kinds import LARGEST_ID, Text, Whole
from dialer.management import Management
from dialer.management import phonebooks as use_cases
from dialer.model import Account, Phonebook

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


def phonebooks(records: list[Phonebook]) -> list[dict[str, Any]]:
    """A list of answers."""
    return [phonebook(record) for record in records]


@define(eq=False)
class Phonebooks:
    """The resource."""

    management: Management

    @route("GET", "phonebook/", schema=PhonebookList, answer=list[PhonebookAnswer], encode=phonebooks)
    def read_all(self, who: Account, given: PhonebookList) -> Deferred[list[Phonebook] | LongAnswer]:
        """All phonebooks, the newest first."""
        pages = partial(use_cases.read_pages, self.management, who)
        return Deferred.fromCoroutine(whole(self.management, pages, lambda each: -each.id, phonebook))

    @route(
        "GET",
        "phonebook/<phonebook_id>/",
        schema=PhonebookChoice,
        answer=PhonebookAnswer,
        encode=phonebook,
        refusals=(NOT_FOUND,),
    )
    def read(self, who: Account, given: PhonebookChoice) -> Deferred[Phonebook]:
        """One phonebook."""
        return self.management.ask(use_cases.read, who, given.phonebook_id)

    @route(
        "POST",
        "phonebook/",
        schema=NewPhonebook,
        answer=PhonebookAnswer,
        encode=phonebook,
        refusals=(NO_CAMPAIGN, DUPLICATE),
    )
    def create(self, who: Account, given: NewPhonebook) -> Deferred[Phonebook]:
        """Create a phonebook, and link it to a campaign when one is named."""
        settings = {"name": given.name, "description": given.description}
        return self.management.ask(use_cases.create, who, settings, given.campaign_id)
