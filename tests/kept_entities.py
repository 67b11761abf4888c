"""Entities that are used again. To define and map them and to translate what they are asked takes longer than most tests,
and all of that is the same for each database of a kind.

The first database of a kind is opened as in the product, and so is each that is opened while all others are open. When it is
closed, its entities are kept for the next one, which is still checked table by table unless it is a copy of one that tests
have made (`tests.grounds`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from pony import orm

from dialer.declare import NOUNS
from dialer.store import entities, server, sqlite
from dialer.store.entities import Entities
from tests import grounds


class KeptDatabase(orm.Database):
    """Can be bound again, to a database of the same kind."""

    is_copy = False

    def bind(self, *args: Any, **options: Any) -> None:
        provider, self.provider = self.provider, None
        super().bind(*args, **options)
        if provider is not None:
            # What was made of the entities knows the provider that they were mapped with.
            vars(provider).update(vars(self.provider))
            self.provider = provider

    def generate_mapping(self, *, create_tables: bool, check_tables: bool) -> None:
        if self.schema is None:
            super().generate_mapping(create_tables=create_tables, check_tables=check_tables)
        elif check_tables and not self.is_copy:
            self.check_tables()


def make_entities(db: Any) -> Entities:
    """As in the product; those that there are already, if they are of the nouns of today."""
    if not db.entities:
        return entities.make_entities(db)
    assert set(db.entities) == {noun.entity for noun in NOUNS.values()}
    return Entities(db, dict(db.entities))


def keep() -> None:
    """From now on, in this process."""
    for module, engine in ((sqlite, sqlite.SqliteEngine), (server, server.ServerEngine)):
        module.make_entities = make_entities
        _keep(module, engine)


def _keep(module: Any, engine: Any) -> None:
    kept: list[KeptDatabase] = []
    opened: WeakKeyDictionary[Any, KeptDatabase] = WeakKeyDictionary()
    open_new: Callable[[Any], Entities] = engine.open
    close_it: Callable[[Any], None] = engine.close

    def open_with_kept(self: Any) -> Entities:
        if module.make_entities is not make_entities:
            return open_new(self)
        self._db = kept.pop() if kept else KeptDatabase()
        self._db.is_copy = self.url in grounds.copies
        found = open_new(self)
        opened[self] = self._db
        return found

    def close_and_keep(self: Any) -> None:
        close_it(self)
        db = opened.pop(self, None)
        if db is not None:
            db._on_connect_funcs.clear()
            kept.append(db)

    engine.open, engine.close = open_with_kept, close_and_keep
