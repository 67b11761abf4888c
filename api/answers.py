"""Parts of answers that several resources share: dates, phonebooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dialer.records import PhonebookRecord

Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", description="in UTC")]
"""YYYY-MM-DD HH:MM:SS."""


class Answer(BaseModel):
    """The schema of an answer. It is for the documentation and the tests; encoders make plain dicts."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PhonebookAnswer(Answer):
    """A phonebook."""

    id: int
    name: str
    description: str


def date(moment: datetime) -> str:
    """An aware moment in UTC as the API shows it, without its fraction."""
    return moment.isoformat(" ", "seconds")[:19]


def phonebook(record: PhonebookRecord) -> dict[str, Any]:
    """As `PhonebookAnswer`."""
    return {"id": record.id, "name": record.name, "description": record.description}
