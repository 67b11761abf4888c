"""Objects of the API v2: imports.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict


class ImportObject(TypedDict):
    """A file of contacts on its way into a phonebook, or of numbers onto a do-not-call list: `rows` were read, each of
    which is one of `taken`, `already_there`, `duplicates` and `refused`."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user of the phonebook, or of the list"""
    phonebook_id: int | None
    """the phonebook that its contacts go to; null: it goes onto a list"""
    name: str
    """of the file, as its client calls it"""
    format: Literal["csv", "json-lines"]
    """csv (a table), or json-lines (an object a line)"""
    encoding: str
    """of the file, as far as it is known"""
    region: str
    """whose numbers its national numbers are; empty: those of the phonebook"""
    header: bool
    """whether the first row of a table names its columns"""
    dry_run: bool
    """whether it only tells what it would do"""
    state: Literal["draft", "queued", "running", "finished", "cancelled", "failed"]
    """how far it is"""
    size: int
    """of the file (bytes)"""
    taken: int
    """contacts that are new; of a dry run, that would be"""
    already_there: int
    """rows whose contacts were there"""
    duplicates: int
    """rows that repeat another one of the file"""
    refused: int
    """rows that are no contact, or none that may be called"""
    created_at: str
    """when the file was here"""
    started_at: str | None
    """when the first row was read"""
    ended_at: str | None
    """when it ended"""
    list_id: int | None
    """the do-not-call list that its numbers go to; null: none"""
    doubles: Literal["keep", "change"]
    """what becomes of contacts that are there: keep leaves them alone, change has them take what the file has"""
    changed: int
    """of the contacts that were there, those that have taken something of the file"""
    errors_left_out: int
    """refused rows that are not kept: there were too many"""
    added_by: str
    """who sent it"""
    mapping: dict[str, str]
    """which column is what"""
    read: int
    """bytes of the file that were read, of `size`"""
    rows: int
    """that were read"""
    reasons: dict[str, int]
    """refused rows by reason"""
    problem: str | None
    """why it failed"""


class ImportStartObject(TypedDict, total=False):
    """What is sent."""

    mapping: Mapping[str, str]
    """which column is what: {"contact": "Phone", "-": "3,5"}"""
    region: str
    """whose numbers the national numbers of the file are, such as DE"""
    encoding: str
    """of the file, such as cp1252"""
    header: bool
    """whether the first row of a table names its columns"""
    doubles: Literal["keep", "change"]
    """contacts that are there: keep leaves them alone, change has them take what the file has"""
    dry_run: bool
    """true: tell what would be done; the import is a draft again then"""
