"""Cookies of the page, and the tokens that keep other sites from sending its forms (CSRF).

A form carries a token that is made of the secret of a cookie, which another site can neither read nor guess. Who is not signed
in has a cookie for the form of the sign-in alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, Final

from api.request import ApiRequest

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
SESSION: Final = "dialer_session"
VISITOR: Final = "dialer_visitor"
"""Of the form of the sign-in."""


def is_encrypted(request: ApiRequest) -> bool:
    """Whether the browser speaks TLS, with this port or with a proxy before it. Whoever claims it falsely, over a connection
    that is not encrypted, gets a cookie that its browser never sends back, and harms nobody else."""
    outermost = (request.header(b"X-Forwarded-Proto") or "").partition(",")[0]
    return bool(request.isSecure()) or outermost.strip().lower() == "https"


def name_of(cookie: str, *, encrypted: bool) -> str:
    """With the prefix by which browsers let no other host and no plain connection set it (RFC 6265bis, section 4.1.3)."""
    return f"__Host-{cookie}" if encrypted else cookie


def set_cookie(request: ApiRequest, cookie: str, secret: str, seconds: float | None = None) -> str:
    """The header that sets it; for the time that the browser is open unless `seconds` are given."""
    encrypted = is_encrypted(request)
    age = "" if seconds is None else f"; Max-Age={int(seconds)}"
    secure = "; Secure" if encrypted else ""
    return f"{name_of(cookie, encrypted=encrypted)}={secret}; Path=/; HttpOnly; SameSite=Lax{age}{secure}"


def forget_cookie(request: ApiRequest, cookie: str) -> str:
    """The header that takes it away."""
    return set_cookie(request, cookie, "", 0)


def secret_in(request: ApiRequest, cookie: str) -> str:
    """The secret in a cookie; "" when there is none that could be ours."""
    name = name_of(cookie, encrypted=is_encrypted(request))
    headers: Any = request.requestHeaders.getRawHeaders(b"Cookie") or []
    for header in headers:
        for pair in header.decode("latin-1").split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name and _SECRET.fullmatch(value):
                return value
    return ""


def csrf_of(secret: str) -> str:
    """The token of the forms of whoever has the cookie."""
    return hmac.digest(secret.encode(), b"form", hashlib.sha256).hex()


def is_own_form(secret: str, token: str) -> bool:
    """Whether a form is one of ours."""
    return bool(secret) and hmac.compare_digest(csrf_of(secret).encode(), token.encode())
