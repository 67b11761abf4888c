"""The gate: whether a number may be handed to a switch, as the first leg of a call or a later one, or shown as the caller's.

Everything that is dialled is a `GatedLeg` here: the number that somebody meant, in all forms in which it is known, with and
without the prefixes of a gateway. No form may be an emergency number, be on the do-not-call list or match the blacklist of
the user whose call it is; the number that was meant has to be on the user's whitelist when there is one. Lists are compared
by identity (`dialer.numbering`). The gate is asked when something is entered, and again at the call, since all of it can
change meanwhile; for first legs, the do-not-call list and the patterns are part of the statement that claims them
(`dialer.store.begin`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from attrs import frozen

from dialer import gateways
from dialer.errors import BadValue
from dialer.model import CallRules, Gateway
from dialer.numbering import Numbering
from dialer.patterns import matcher
from dialer.variables import check_caller_name

_LOCAL: Final = frozenset({"user", "group", "error", "null"})
"""Endpoints whose names are those of extensions of the switch itself, 110 as well."""

_SYNTAX: Final = re.compile(r"[\s{}\[\]<>'\"\\$^`]")
_SEPARATORS: Final = re.compile(r":_:|[,|]")
_NUMBER: Final = re.compile(r"[+*#]?[0-9]+")
_SCHEME: Final = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_END_OF_USER: Final = re.compile(r"[@;?%&]")
_ENCODED: Final = re.compile(r"%(2[3ABab]|3[0-9])")
_VISUAL: Final = re.compile(r"[-.()~]")
_HOST: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?")


@frozen
class GatedLeg:
    """A call that shall be made: `number` is the one that is meant, `forms` are all in which it is known."""

    number: str
    forms: tuple[str, ...]


Refusal = Callable[[GatedLeg], str]
"""Why a leg may not be called, "" when it may."""


# --- what would be dialled --------------------------------------------------------------------------------------------------


def leg_through(gateway: Gateway, number: str) -> GatedLeg:
    """The call of a number through a gateway."""
    forms = gateways.dialled_forms(gateway, number)
    return GatedLeg(number, _distinct(form[:1] + form[1:].replace("+", "") for form in forms))


def legs_of(addresses: str, field: str) -> tuple[GatedLeg, ...]:
    """The calls that an argument of `bridge` makes, each address of it one; those without a number, such as `user/1000`, are
    none. Raises `BadValue` naming `field` for what cannot be told for sure: variables, expressions, applications."""
    if found := _SYNTAX.search(addresses):
        raise BadValue(field, f"may not contain {found[0]!a}: the numbers in it could not be told")
    found_legs = []
    for address in _SEPARATORS.split(addresses):
        forms = _numbers(address, field)
        if forms:
            found_legs.append(GatedLeg(forms[0], forms))
    return tuple(found_legs)


def is_local(addresses: str) -> bool:
    """Whether an argument of `bridge` names endpoints of the switch itself only, which no gateway serves."""
    return not _SYNTAX.search(addresses) and all(
        "/" in address and address.partition("/")[0].lower() in _LOCAL for address in _SEPARATORS.split(addresses)
    )


def _numbers(address: str, field: str) -> tuple[str, ...]:
    endpoint, *path = address.split("/")
    if not path or not endpoint:
        raise BadValue(field, f"{address[:60]!r} is not an address such as sofia/gateway/carrier/15551234")
    if endpoint.lower() in _LOCAL:
        return ()
    if endpoint.lower() == "loopback":
        if re.search("[=:]", path[0]) or any(part.lower() == "inline" for part in path[1:]):
            raise BadValue(field, f"{address[:60]!r} runs an application, whose numbers could not be told")
        user = path[0]
    else:
        user = path[-1]
    if _HOST.fullmatch(user):
        return ()
    user = _SCHEME.sub("", user, count=1)
    decoded = _ENCODED.sub(lambda code: chr(int(code[1], 16)), user)
    return _distinct(dialled_as(_END_OF_USER.split(text, maxsplit=1)[0]) for text in (decoded, user))


def dialled_as(user: str) -> str:
    """The number that the user part of an address, or an extension, is for whoever routes it; "" for a name. Separators do not
    count, and neither do keys that end the dialling."""
    number = _VISUAL.sub("", user).rstrip("*#")
    return number if _NUMBER.fullmatch(number) else ""


def _distinct(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, numbers)))


# --- whether it may be called -----------------------------------------------------------------------------------------------


@frozen
class NumberRules:
    """Whom a user may call: nobody on the blacklist, and only those on the whitelist when there is one."""

    is_black: Callable[[str], object]
    is_white: Callable[[str], object] | None

    def is_forbidden(self, number: str, identity: str) -> bool:
        """Whether it is on the blacklist, which holds for the number as it was entered, too."""
        return bool(self.is_black(identity) or self.is_black(number.removeprefix("+")))

    def refusal(self, number: str, identity: str) -> str:
        """Why a number is not called, "" when it is."""
        if self.is_forbidden(number, identity):
            return f"{number} is on the blacklist of this user"
        if self.is_white is not None and not self.is_white(identity):
            return f"{number} is not on the whitelist of this user"
        return ""


def number_rules(blacklist: frozenset[str], whitelist: frozenset[str]) -> NumberRules:
    """The rules of these patterns; they are compiled once."""
    return NumberRules(matcher(blacklist), matcher(whitelist) if whitelist else None)


def emergency_refusal(forms: Sequence[str], numbering: Numbering) -> str:
    """Why none of these may be dialled, "" when they may."""
    found = next((form for form in forms if form and numbering.is_emergency(form)), None)
    return "" if found is None else f"{found} is an emergency number, which is never dialled"


def identities(legs: Sequence[GatedLeg], numbering: Numbering) -> tuple[str, ...]:
    """Those for which the do-not-call list has to be asked."""
    return tuple(dict.fromkeys(numbering.identity(form) for leg in legs for form in leg.forms))


def refusal(leg: GatedLeg, numbering: Numbering, rules: CallRules) -> str:
    """Why a leg may not be called, "" when it may. `rules` are those of the user, and what the do-not-call list has of
    `identities`."""
    if reason := emergency_refusal(leg.forms, numbering):
        return reason
    known = number_rules(rules.blacklist, rules.whitelist)
    for form in leg.forms:
        identity = numbering.identity(form)
        if identity in rules.do_not_call:
            return f"{form} is on the do-not-call list"
        if known.is_forbidden(form, identity):
            return f"{form} is on the blacklist of this user"
    return known.refusal(leg.number, numbering.identity(leg.number))


# --- as whose call ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def caller_id_refusal(number: str, allowed: str, numbering: Numbering) -> str:
    """Why a number may not be shown as the caller's, "" when it may, as may none at all. `allowed` are the caller ids of the
    user, separated by commas; "" for any."""
    shown = dialled_as(number)
    if not number or (not allowed and not shown):
        return ""
    if shown and numbering.is_emergency(shown):
        return f"{number} is an emergency number, which is never shown as a caller's"
    if allowed and numbering.identity(shown or number) not in map(numbering.identity, allowed.split(",")):
        return f"{number} is not one of the caller ids of this user ({allowed})"
    return ""


@lru_cache(maxsize=1024)
def caller_name_refusal(name: str) -> str:
    """Why a stored name cannot be shown as the caller's, "" when it can: an earlier version took texts that the switch would
    decode."""
    try:
        check_caller_name(name, "caller_name")
    except BadValue as error:
        return f"the caller name {name!r} {error.problem}"
    return ""


CALLER_ID_VARIABLES: Final = frozenset(
    {"effective_caller_id_number", "sip_from_user", "sip_contact_user", "sip_auth_username", "sip_h_p-preferred-identity"}
    | {"sip_h_p-asserted-identity", "sip_h_remote-party-id"}
)
"""Channel variables, in lower case, that show a number as the caller's."""

_SHOWN: Final = re.compile(r"(?:.*sips?:|.*tel:)?([^@;>]*)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def variables_refusal(variables: tuple[tuple[str, str], ...], allowed: str, numbering: Numbering) -> str:
    """Why channel variables may not be set, as `caller_id_refusal`; "" when they may."""
    for name, value in variables:
        found = _SHOWN.match(value.strip()) if name.lower() in CALLER_ID_VARIABLES else None
        if found is not None and dialled_as(found[1]) and (reason := caller_id_refusal(found[1], allowed, numbering)):
            return f"{name}: {reason}"
    return ""
