"""Dial: connects the callee to a second leg: a number or an extension through the voice application's gateway, or an address
that an administrator has entered.

Whom a campaign dials is entered by users of the API. So that nobody can call at the installation's expense by another way than
the one that it was given, the target is a number and nothing else, and it goes through the gateway of the voice application,
which only an administrator sets. A voice application without a gateway dials nothing.
"""

from __future__ import annotations

import re

from dialer import appdata
from dialer.apps.context import CallContext
from dialer.interfaces import AnsweredCall
from dialer.model import Contact
from dialer.model.flow import Transfer, Transferred
from dialer.variables import harmless

RESUMED = "originate_disposition"
"""A channel variable that FreeSWITCH sets on the leg that dials another one."""

MOST_HEADERS = 20
LONGEST_HEADER = 200
"""Characters: SIP over UDP has to fit into a datagram."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_NOT_IN_A_CALLER_NUMBER = re.compile(r"[^A-Za-z0-9+*#._~-]")
LONGEST_CALLER_NUMBER = 64


async def dial(call: AnsweredCall, context: CallContext) -> None:
    """Connect the callee to the target. Notes `transfer` (answered, failed), `transfer_to`, `transfer_cause`,
    `transfer_seconds` and who ended it (`transfer_ended_by`: contact or target).

    A call whose second leg was dialled before this session began (another dialer had it) is not connected again. Raises
    `BadValue` when there is nobody to dial or no way to, and when the gate does not let the target pass.
    """
    if disposition := call.variable(RESUMED):
        context.notes["transfer_cause"] = disposition
        return
    target = appdata.parse_target(context.data, by_admin=context.by_admin)
    context.notes["transfer_to"] = target.number or target.address
    gateway, contact = await context.parties(through_gateway=bool(target.number))
    address = appdata.address_of(target, gateway)
    variables = gateway.parameters if gateway is not None else ()
    own_caller_id = context.attempt.plan.shown.number
    transfer = Transfer(
        dial_string=address,
        timeout=context.settings.dial_timeout,
        ringback=context.settings.ringback,
        caller_id_number=own_caller_id or _caller_number(contact),
        variables=variables + _without(variables, headers(contact)),
        number=target.number,
        gateway=gateway,
        is_contacts_number=not own_caller_id,
    )
    context.notes |= _account(await call.bridge(transfer))


def headers(contact: Contact) -> tuple[tuple[str, str], ...]:
    """The contact as SIP headers of the second leg: `X-Contact`, `X-First-Name`, `X-Last-Name`, then `X-` and the name of each
    of its `additional_vars`, with hyphens for what is neither letter nor digit. Whatever the values are, the switch takes them
    (`variables.harmless`): the callee waits to be connected."""
    fields = {"Contact": contact.number, "First-Name": contact.first_name, "Last-Name": contact.last_name}
    for name, value in contact.additional_vars.items():
        fields.setdefault(_NOT_IN_A_NAME.sub("-", name).strip("-")[:64].title(), str(value))
    pairs = ((name, harmless(value, LONGEST_HEADER)) for name, value in fields.items() if name)
    return tuple((f"sip_h_X-{name}", value) for name, value in pairs if value)[:MOST_HEADERS]


def _caller_number(contact: Contact) -> str:
    return _NOT_IN_A_CALLER_NUMBER.sub("", contact.number)[:LONGEST_CALLER_NUMBER]


def _without(known: tuple[tuple[str, str], ...], others: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those of the others that a gateway's parameters do not set already; FreeSWITCH ignores case in names."""
    names = {name.lower() for name, _ in known}
    return tuple((name, value) for name, value in others if name.lower() not in names)


def _account(result: Transferred) -> dict[str, str]:
    return {
        "transfer": "answered" if result.answered else "failed",
        "transfer_cause": result.cause,
        "transfer_seconds": f"{result.talk_ms / 1000:.1f}",
        "transfer_ended_by": "contact" if result.by_contact else "target",
    }
