"""Tokens: made, listed, revoked. One that is revoked, has expired, or whose user may not log in is good for nothing from that
moment on, at every node: each use case looks in its own transaction whether the token is there (`Management.ask`).

To make and to revoke tokens takes a password, or a token of the scope `admin`: one that was lost cannot make others that
outlive it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from dialer.declare import entered
from dialer.errors import BadValue, Forbidden, NotFound
from dialer.management import rows
from dialer.management.listing import NEWEST_FIRST, Slice, rows_of
from dialer.management.management import Transaction, reads, verb, writes
from dialer.model import Account, MadeToken, Scope, Token
from dialer.store.times import to_column
from dialer.stored import value_of
from dialer.tokens import new_token

MOST_TOKENS: Final = 100
"""Of one user, those that have expired among them."""

NOTED_EVERY: Final = timedelta(seconds=60)
"""How exactly it is known when a token was last used."""

_NOTE_USE: Final = "UPDATE api_token SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)"


@reads
def listed(t: Transaction, who: Account, part: Slice = NEWEST_FIRST, user_id: int | None = None) -> list[Token]:
    """The user's, everybody's for a superuser whose login has the scope `admin`: those of one of these, where it is given."""
    query = t.entities.Token.select()
    if not _sees_all(who):
        query = query.filter(lambda k: k.user.id == who.id)
    if user_id is not None:
        query = query.filter(lambda k: k.user.id == user_id)
    return [value_of(Token, row) for row in rows_of(query, part)]


@reads
def read(t: Transaction, who: Account, token_id: int) -> Token:
    """One of them. Raises `NotFound`."""
    return value_of(Token, _found(t, who, token_id))


@writes
def create(t: Transaction, who: Account, given: Mapping[str, Any]) -> MadeToken:
    """A token for the user itself, or for the `user_id` that a superuser names. Its text is known to nobody but the caller
    from then on. Raises `Forbidden` for a login that may make none, `LimitExceeded`, `BadValue`."""
    _check_scope(who)
    checked = {"user_id": who.id, **entered(Token, given)}
    owner = t.entities.User.get_for_update(id=checked["user_id"], is_active=True)
    if owner is None or not (who.is_superuser or owner.id == who.id):
        raise BadValue("user_id", "is no user for whom you may make a token")
    if Scope.ADMIN in checked.get("scopes", ()) and not owner.is_superuser:
        raise BadValue("scopes", "admin is for superusers only; expected read, dial, or both")
    if checked.get("expires_at") is not None and checked["expires_at"] <= t.now:
        raise BadValue("expires_at", "lies in the past; expected a moment to come, or none")
    rows.check_limit("tokens", owner.tokens.count() + 1, MOST_TOKENS)
    text = new_token()
    parts = {"public_id": text.public_id, "secret_hash": text.secret_hash}
    return MadeToken(token=value_of(Token, rows.create(t, Token, {**checked, **parts})), text=text.text)


@writes
def revoke(t: Transaction, who: Account, token_id: int) -> None:
    """It is good for nothing from now on. Raises `Forbidden`, `NotFound`."""
    _check_scope(who)
    _found(t, who, token_id).delete()


@verb
def note_use(t: Transaction, token_id: int) -> None:
    """It was used now, which is written down unless that was done a moment ago."""
    t.connection.execute(_NOTE_USE, (to_column(t.now), token_id, to_column(t.now - NOTED_EVERY)))


def _sees_all(who: Account) -> bool:
    return who.is_superuser and Scope.ADMIN in who.scopes


def _check_scope(who: Account) -> None:
    if Scope.ADMIN not in who.scopes or (who.token_id is not None and not who.is_superuser):
        raise Forbidden("tokens are made and revoked with a password, or with a token of a superuser that has the scope admin")


def _found(t: Transaction, who: Account, token_id: int) -> Any:
    row = t.entities.Token.get(id=token_id)
    if row is None or not (_sees_all(who) or row.user.id == who.id):
        raise NotFound("token", token_id)
    return row
