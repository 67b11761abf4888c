"""What Pony or the database refuses of an entity, led back to the field that is to blame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pony import orm
from pony.orm.dbapiprovider import DBException

from dialer.errors import BadValue
from dialer.store.faults import refused_value

_ATTRIBUTE = re.compile(r"\b[A-Z]\w*\.(\w+)(?: is | of |\b)(.*)", re.DOTALL)


@contextmanager
def refusals() -> Iterator[None]:
    """Around the making or changing of an entity: flushes at the end, raises `BadValue` or `Duplicate` for what is refused."""
    try:
        yield
        orm.flush()
    except BadValue:
        raise
    except (ValueError, TypeError) as error:
        raise _refused_by_pony(error) from error
    except (orm.core.OrmError, DBException) as error:  # the latter for a changed row, which Pony does not wrap
        refused = refused_value(error)
        if refused is None:
            raise
        raise refused from error


def _refused_by_pony(error: Exception) -> BadValue:
    """Pony checks lengths, sizes and presence before the database does, and names `Entity.attribute` in the text."""
    match = _ATTRIBUTE.search(str(error))
    if match is None:
        return BadValue("value", str(error))
    return BadValue(match[1], str(error))
