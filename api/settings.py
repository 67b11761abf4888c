"""The limits of the HTTP side. Durations are seconds, sizes bytes."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class HttpSettings:
    """What one client may ask for. Where 0 is allowed, it switches the limit off.

    `request_timeout` bounds the time in which a whole request has to arrive, `idle_timeout` that between two of a connection.
    `requests_per_minute` is for each user (0 is allowed); the old server had 1000. `login_memory` is how long a password that
    was right is known without hashing it again: a changed password keeps the old one alive for that long. Failed logins are
    counted over a minute, for each user and for each address (0 is allowed for both).
    """

    max_body: int = 2 * 1024 * 1024
    max_connections: int = 1000
    request_timeout: float = 30.0
    idle_timeout: float = 60.0
    requests_per_minute: int = 1000
    login_memory: float = 10.0
    failed_logins_per_user: int = 10
    failed_logins_per_address: int = 20
