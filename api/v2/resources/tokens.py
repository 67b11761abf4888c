"""`tokens`: what programs log in with."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve
from twisted.internet.defer import Deferred

from api.v2.attributes import ID, Answer, Attribute, Body, Encoder, answer, enterable
from api.v2.pages import page_of, sorted_page
from api.v2.routes import Asked, Current, Route
from dialer.management import tokens
from dialer.model import MadeToken, Scope, Token

_SHOWN: Final = Encoder(Token)
_encode = _SHOWN.encoder()

TOKEN: Final = answer("Token", "A token, without its secret.", _SHOWN.properties, _encode)


def _made(made: MadeToken) -> dict[str, Any]:
    return {**_encode(made.token), "token": made.text}


MADE: Final[Answer] = answer(
    "MadeToken",
    "A token with its text, which is told once: it is null when the request comes again, because it is kept nowhere.",
    {**_SHOWN.properties, "token": {"type": ["string", "null"]}},
    _made,
)


def _optional(attribute: Attribute) -> Attribute:
    """The user is the asking one where none is named."""
    return evolve(attribute, required=False) if attribute.name == "user_id" else attribute


NEW: Final = Body(name="NewToken", attributes=tuple(map(_optional, enterable(Token, without=()))))


def _list(asked: Asked) -> Deferred[Any]:
    """Your tokens, the newest first; everybody's with the scope `admin` of a superuser."""
    return asked.ask(tokens.listed, asked.who, asked.part, asked.query.get("user_id"))


def _read(asked: Asked) -> Deferred[Any]:
    """One of your tokens."""
    return asked.ask(tokens.read, asked.who, asked.path["token_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Make a token, whose text is in this answer and nowhere else."""
    return asked.ask(tokens.create, asked.who, asked.body)


def _revoke(asked: Asked) -> Deferred[Any]:
    """Revoke a token: it is good for nothing from now on."""
    return asked.ask(tokens.revoke, asked.who, asked.path["token_id"])


_CURRENT: Final = Current(use_case=tokens.read, args=lambda asked: (asked.who, asked.path["token_id"]), answer=TOKEN)

ROUTES: Final = (
    Route(
        method="GET",
        path="tokens",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(TOKEN),
        page=sorted_page(Token, "name", "created_at", default="-id"),
        parameters=(Attribute(name="user_id", kind=ID, doc="only those of this user"),),
    ),
    Route(
        method="POST",
        path="tokens",
        scope=Scope.ADMIN,
        serve=_create,
        body=NEW,
        answer=MADE,
        status=201,
        location="tokens/{id}",
        kept=lambda shown: {**shown, "token": None},
        refusals=("limit-exceeded",),
    ),
    Route(method="GET", path="tokens/<token_id>", scope=Scope.READ, serve=_read, answer=TOKEN),
    Route(method="DELETE", path="tokens/<token_id>", scope=Scope.ADMIN, serve=_revoke, status=204, current=_CURRENT),
)
