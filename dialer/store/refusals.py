"""What the database refuses of an entity, led back to the field that is to blame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pony import orm
from pony.orm.dbapiprovider import DBException

from dialer.store.faults import refused_value


@contextmanager
def refusals() -> Iterator[None]:
    """Around the making or changing of entities: flushes at the end, raises `BadValue` or `Duplicate` for what is refused."""
    try:
        yield
        orm.flush()
    except (orm.core.OrmError, DBException) as error:  # the latter for a changed row, which Pony does not wrap
        refused = refused_value(error)
        if refused is None:
            raise
        raise refused from error
