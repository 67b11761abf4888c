"""Who is signed in to the page in the browser, and what was changed there."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp


@noun("page session")
@frozen(kw_only=True)
class PageSession:
    """Somebody who is signed in. Of the secret in the browser's cookie, a hash is stored; `proof` is one of the password's
    hash at that moment."""

    id: int = key()
    user_id: int = reference("user", reverse="page_sessions", doc="who is signed in")
    secret_hash: str = setting(longest=64, shortest=64, secret=True, read_only=True, doc="SHA-256 of the cookie's secret")
    proof: str = setting(longest=64, shortest=64, secret=True, read_only=True, doc="SHA-256 of the password's hash")
    created_at: datetime = stamp("when it began")
    seen_at: datetime = stamp("when it was last used, to the minute")


@noun("sign in link")
@frozen(kw_only=True)
class SignInLink:
    """A link that signs in a user once."""

    id: int = key()
    user_id: int = reference("user", reverse="sign_in_links", doc="who signs in by it")
    secret_hash: str = setting(longest=64, shortest=64, secret=True, read_only=True, doc="SHA-256 of its secret")
    expires_at: datetime = setting(read_only=True, doc="good for nothing from then on")


@noun("audit entry")
@frozen(kw_only=True)
class AuditEntry:
    """Something that was changed on the page. It names who did it without referring to it; `details` are the values that were
    given, a JSON object of texts."""

    id: int = key()
    at: datetime = stamp("when it was done")
    user_id: int = setting(doc="who did it")
    username: str = setting(doc="its name at that moment")
    address: str = setting("", doc="where the request came from")
    action: str = setting(shortest=1, doc="a stable word for what was done")
    subject: str = setting("", doc="what it was done to")
    details: str = setting("{}", kind=None, longest=100_000, doc="with which values, a JSON object")
