"""Objects of the API v2: contacts.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict


class ContactObject(TypedDict):
    """Somebody to call."""

    id: int
    """its number, given by the database"""
    phonebook_id: int
    """where it stands"""
    number: str
    """the number to call, in any spelling; unique in its phonebook"""
    identity: str
    """its canonical digits, by which it is compared"""
    first_name: str
    """for voice applications and people"""
    last_name: str
    """for voice applications and people"""
    email: str
    """for voice applications and people"""
    description: str
    """for people"""
    additional_vars: dict[str, str]
    """further values for voice applications, by their names"""
    double_of: int | None
    """the contact of its phonebook that has the same number"""
    created_at: str
    """when it was created"""
    updated_at: str
    """when it was last changed"""
    priority: int
    """9 is called first, 0 last; before the order of its campaign counts"""
    time_zone: str
    """where it is known to be; empty: its number tells, as far as that can"""
    reference: str
    """your own word for the contact, unique in its phonebook, which its events repeat"""
    consent_basis: Literal["express", "written", "relationship", "other"] | None
    """what its consent to be called rests on: express and written are the contact's own; null: there is none"""
    consent_given_at: str | None
    """when the consent was given; it holds from then on, and never without"""
    consent_expires_at: str | None
    """the consent holds until then; null: until it is taken back"""
    consent_proof: str
    """where the consent can be proved, such as the name of a recording"""


class NewContactObject(TypedDict):
    """What is sent."""

    number: str
    """the number to call, in any spelling; unique in its phonebook"""
    first_name: NotRequired[str]
    """for voice applications and people"""
    last_name: NotRequired[str]
    """for voice applications and people"""
    email: NotRequired[str]
    """for voice applications and people"""
    description: NotRequired[str]
    """for people"""
    additional_vars: NotRequired[Mapping[str, str]]
    """further values for voice applications, by their names"""
    priority: NotRequired[int]
    """9 is called first, 0 last; before the order of its campaign counts"""
    time_zone: NotRequired[str]
    """where it is known to be; empty: its number tells, as far as that can"""
    reference: NotRequired[str]
    """your own word for the contact, unique in its phonebook, which its events repeat"""
    consent_basis: NotRequired[Literal["express", "written", "relationship", "other"] | None]
    """what its consent to be called rests on: express and written are the contact's own; null: there is none"""
    consent_given_at: NotRequired[str | None]
    """when the consent was given; it holds from then on, and never without"""
    consent_expires_at: NotRequired[str | None]
    """the consent holds until then; null: until it is taken back"""
    consent_proof: NotRequired[str]
    """where the consent can be proved, such as the name of a recording"""


class NewContactsObject(TypedDict):
    """What is sent."""

    contacts: Sequence[NewContactObject]
    """each as for one"""
    dry_run: NotRequired[bool]
    """true: nothing is changed, and the answer tells what would be"""


class AddedContactsRefusedObject(TypedDict):
    """Part of an answer."""

    index: int
    """the place in the list, from 0 on"""
    reason: str
    detail: str


class AddedContactsObject(TypedDict):
    """What became of the contacts."""

    taken: int
    """that were added, or would be in a dry run"""
    known: int
    """whose numbers the phonebook had already: these stay as they are"""
    refused: list[AddedContactsRefusedObject]
    """the others"""
    dry_run: bool


class ContactsToRemoveObject(TypedDict, total=False):
    """What is sent."""

    numbers: Sequence[str]
    """those of these numbers, in any spelling"""
    references: Sequence[str]
    """and those of these references"""
    dry_run: bool
    """true: nothing is changed, and the answer tells what would be"""


class RemovedContactsObject(TypedDict):
    """The contacts that were removed."""

    removed: int
    """how many were removed, or would be in a dry run"""
    contact_ids: list[int]
    unknown: list[str]
    """numbers and references of which the phonebook has no contact"""
    dry_run: bool


class ChangedContactObject(TypedDict, total=False):
    """What is sent."""

    number: str
    """the number to call, in any spelling; unique in its phonebook"""
    first_name: str | None
    last_name: str | None
    email: str | None
    description: str | None
    additional_vars: Mapping[str, str | None] | None
    priority: int | None
    time_zone: str | None
    reference: str | None
    consent_basis: Literal["express", "written", "relationship", "other"] | None
    """what its consent to be called rests on: express and written are the contact's own; null: there is none"""
    consent_given_at: str | None
    """when the consent was given; it holds from then on, and never without"""
    consent_expires_at: str | None
    """the consent holds until then; null: until it is taken back"""
    consent_proof: str | None
