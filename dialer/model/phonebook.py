"""A phonebook: contacts that campaigns call."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from dialer.declare import key, noun, reference, rule, setting, stamp
from dialer.numbering import check_region


@noun("phonebook", links={"campaigns": "campaign"})
@frozen(kw_only=True)
class Phonebook:
    """A list of contacts of a user."""

    id: int = key()
    user_id: int = reference("user", reverse="phonebooks", doc="the user that it belongs to")
    name: str = setting(shortest=1, v1="name", doc="its name, unique among its user's")
    description: str = setting("", longest=2000, lines=True, v1="description", doc="for people")
    region: str = rule(
        "",
        longest=2,
        check=check_region,
        doc="the region of its national numbers, such as DE; empty: that of the installation",
    )
    created_at: datetime = stamp("when it was created")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its attempts stay")
