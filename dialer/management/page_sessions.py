"""Who is signed in to the page. A session is known by a secret in a browser's cookie, of which a hash is stored. It ends when
it was not used for a while, after so long in any case, when somebody signs out, and when its user is locked or has another
password; each use of the page looks here first, and so hears of all of these at once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import field, frozen

from dialer.errors import NotFound
from dialer.management.management import Transaction, verb
from dialer.model import Account
from dialer.model.role import Role, scopes_of
from dialer.store import page_sessions as sql
from dialer.store.times import from_column, to_column

MOST_SESSIONS: Final = 50
"""Of one user; with one more, the oldest ends."""

NOTED_EVERY: Final = timedelta(seconds=60)
"""How exactly it is known when a session was last used."""

LINK_LIFETIME: Final = timedelta(hours=1)


@frozen(kw_only=True)
class SessionLimits:
    """A session ends when it was not `idle` for longer, and after its `lifetime`."""

    idle: timedelta
    lifetime: timedelta


@frozen(kw_only=True)
class SignedIn:
    """A user of the page, with its rights of this moment."""

    who: Account
    role: Role
    digest: str = field(repr=False)


def new_secret() -> str:
    """What a cookie or a link has: nobody can guess it."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is stored of a secret. It has 256 bits of randomness, so that one round of SHA-256 keeps it."""
    return hashlib.sha256(secret.encode()).hexdigest()


@verb
def begin(t: Transaction, user_id: int, proof: str, digest: str, limits: SessionLimits) -> None:
    """Sign in a user that has proved who it is; `proof` is the password's hash of that moment. Raises `NotFound` when it may
    not sign in any more, or has another password."""
    row = t.connection.execute(sql.BY_ID, (user_id,)).fetchone()
    if row is None or row[4] != proof:
        raise NotFound("user", user_id)
    _begin(t, row, digest, limits)


def _begin(t: Transaction, row: Any, digest: str, limits: SessionLimits) -> None:
    now = to_column(t.now)
    t.connection.execute(sql.FORGET_OLD, (to_column(t.now - limits.lifetime),))
    t.connection.execute(sql.BEGIN, (row[0], digest, digest_of(row[4]), now, now))
    t.connection.execute(sql.END_SURPLUS, (row[0], MOST_SESSIONS))


@verb
def find(t: Transaction, digest: str, limits: SessionLimits) -> SignedIn | None:
    """Whose session it is, which is used by that; None when it is over."""
    oldest, idle = to_column(t.now - limits.lifetime), to_column(t.now - limits.idle)
    row = t.connection.execute(sql.FIND, (digest, oldest, idle)).fetchone()
    if row is None:
        return None
    key, proof, seen_at, *user = row
    if not hmac.compare_digest(proof, digest_of(user[4])):
        return None
    if t.now - from_column(seen_at) >= NOTED_EVERY:
        t.connection.execute(sql.SEEN, (to_column(t.now), key))
    return SignedIn(who=_account(user), role=_role(user), digest=digest)


@verb
def still(t: Transaction, digest: str, limits: SessionLimits) -> Account:
    """The account of a session, which is not used by that. Raises `NotFound` when it is over."""
    oldest, idle = to_column(t.now - limits.lifetime), to_column(t.now - limits.idle)
    row = t.connection.execute(sql.FIND, (digest, oldest, idle)).fetchone()
    if row is None or row[1] != digest_of(row[7]):
        raise NotFound("user", "of a session that is over")
    return _account(row[3:])


@verb
def end(t: Transaction, digest: str) -> None:
    """Sign out."""
    t.connection.execute(sql.END, (digest,))


@verb
def end_all(t: Transaction, user_id: int) -> int:
    """Sign out everywhere; links that would sign in are good for nothing any more. Returns how many sessions that were."""
    t.connection.execute(sql.END_LINKS, (user_id,))
    return t.connection.execute(sql.END_ALL, (user_id,)).rowcount


@verb
def make_link(t: Transaction, username: str, secret: str) -> datetime:
    """A secret that signs in a user once, until the moment that is returned. Raises `NotFound`."""
    row = t.connection.execute(sql.BY_NAME, (username,)).fetchone()
    if row is None:
        raise NotFound("user", username)
    until = t.now + LINK_LIFETIME
    t.connection.execute(sql.FORGET_LINKS, (to_column(t.now),))
    t.connection.execute(sql.ADD_LINK, (row[0], digest_of(secret), to_column(until)))
    return until


@verb
def use_link(t: Transaction, secret: str, digest: str, limits: SessionLimits) -> Account | None:
    """Sign in by a link, which is good for nothing from then on; None for one that never was, or is not any more."""
    used = t.connection.execute(sql.USE_LINK, (digest_of(secret),)).fetchone()
    if used is None or from_column(used[1]) <= t.now:
        return None
    row = t.connection.execute(sql.BY_ID, (used[0],)).fetchone()
    if row is None:
        return None
    _begin(t, row, digest, limits)
    return _account(row)


def _role(user: Any) -> Role:
    return Role(user[3])


def _account(user: Any) -> Account:
    superuser = bool(user[2])
    return Account(
        id=user[0],
        username=user[1],
        is_superuser=superuser,
        proof=user[4],
        scopes=scopes_of(Role(user[3]), superuser=superuser),
    )
