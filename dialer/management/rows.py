"""The shared steps of the use cases: finding a row that the asking user may see, its limits, and references."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dialer.declare import NOUNS, noun_of, refuse_missing
from dialer.errors import Forbidden, InUse, LimitExceeded, NotFound
from dialer.management.management import Transaction
from dialer.model import Account
from dialer.model.retries import RetryTable
from dialer.model.user import ADMINISTRATOR
from dialer.stored import complete, stored


def found(entity: Any, kind: str, key: object) -> Any:
    """The row with that id, locked where others may change it. Raises `NotFound`."""
    row = entity.get_for_update(id=key)
    if row is None or is_archived(row):
        raise NotFound(kind, key)
    return row


def is_archived(row: Any) -> bool:
    """Whether it was removed, and is there for the sake of its attempts only."""
    return getattr(row, "archived_at", None) is not None


def live(some: Any) -> list[Any]:
    """The rows of a relation that were not removed."""
    return [row for row in some if not is_archived(row)]


def ours(who: Account, row: Any, kind: str, key: object) -> Any:
    """`row`, which has a user. Raises `NotFound` for one that does not exist, or is somebody else's."""
    if row is None or is_archived(row) or not (who.is_superuser or row.user.id == who.id):
        raise NotFound(kind, key)
    return row


def asking(t: Transaction, who: Account) -> Any:
    """The row of the asking user, whose limits are those of this moment. Raises `NotFound` for a user that may no longer do
    anything: it proved to be one a little earlier. None for the administrator, who has no limits."""
    if who is ADMINISTRATOR:
        return None
    row = t.entities.User.get(id=who.id, is_active=True)
    if row is None:
        raise NotFound("user", who.username)
    return row


def check_superuser(who: Account) -> None:
    """Raise `Forbidden` for anybody else."""
    if not who.is_superuser:
        raise Forbidden("this is for superusers only")


def check_limit(limit: str, wanted: int | None, maximum: int | None) -> None:
    """Raise `LimitExceeded` when more is wanted than is allowed."""
    if wanted is not None and maximum is not None and wanted > maximum:
        raise LimitExceeded(limit, maximum)


def check_limits(cls: type, given: Mapping[str, Any], user: Any) -> None:
    """Raise `LimitExceeded` for a field that its declaration lets a user's limit bound."""
    for field in noun_of(cls).enterable if user is not None else ():
        if field.limited_by:
            wanted = given.get(field.name)
            most = wanted.most if isinstance(wanted, RetryTable) else wanted
            check_limit(field.limited_by.removeprefix("max_"), most, getattr(user, field.limited_by))


def references(t: Transaction, cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The rows that `given` names by their ids, under the names of the entity's attributes. Raises `NotFound`."""
    rows = {}
    for field in noun_of(cls).columns:
        if field.refers_to and field.name in given:
            key = given[field.name]
            entity = noun_entity(t, field.refers_to)
            rows[field.attribute] = None if key is None else _existing(entity, field.refers_to, key)
    return rows


def noun_entity(t: Transaction, noun_name: str) -> Any:
    """The entity of a noun."""
    return getattr(t.entities, NOUNS[noun_name].entity)


def _existing(entity: Any, kind: str, key: object) -> Any:
    row = entity.get(id=key)
    if row is None:
        raise NotFound(kind, key)
    return row


def create(t: Transaction, cls: type, given: Mapping[str, Any]) -> Any:
    """A new row of a noun, and its id; what is not given is as declared. Raises `BadValue` for what is missing, `NotFound`
    for a reference to nothing."""
    refuse_missing(cls, given)
    rows = references(t, cls, complete(cls, given))
    moments = {field.name: t.now for field in noun_of(cls).columns if field.name in ("created_at", "updated_at")}
    row = getattr(t.entities, cls.__name__)(**_plain(cls, {**complete(cls, given), **moments}), **rows)
    t.entities.db.flush()
    return row


def change(t: Transaction, cls: type, row: Any, given: Mapping[str, Any]) -> None:
    """Change what is given of a row. Raises `NotFound` for a reference to nothing."""
    rows = references(t, cls, given)
    moments: dict[str, datetime] = {"updated_at": t.now} if hasattr(row, "updated_at") else {}
    rules = row.rules if noun_of(cls).has_rules else "{}"
    row.set(**_plain(cls, {**given, **moments}, rules), **rows)
    t.entities.db.flush()


def _plain(cls: type, values: Mapping[str, Any], rules: str = "{}") -> dict[str, Any]:
    """Without the references, and the id that the database gives."""
    of = noun_of(cls)
    return {
        name: value
        for name, value in stored(cls, values, rules).items()
        if name == "rules" or not (of.field(name).refers_to or name == "id")
    }


def refuse_in_use(kind: str, name: str, uses: Mapping[str, int], verb: str) -> None:
    """Raise `InUse` when anything is counted."""
    counts = [f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in uses.items() if count]
    if counts:
        raise InUse(kind, name, f"{verb} {', '.join(counts)}")
