"""Speak: a text to speech engine of the switch reads a text, in which tags stand for what is known of the contact."""

from __future__ import annotations

from dialer import appdata
from dialer.apps.context import CallContext
from dialer.interfaces import AnsweredCall
from dialer.model import Contact


async def speak(call: AnsweredCall, context: CallContext) -> None:
    """Speak the data. Notes how many characters were `spoken`.

    Raises `SessionGone` when the callee hangs up before the end, `BadValue` when there is nothing to speak.
    """
    speech = appdata.parse_speech(context.data)
    text = appdata.filled_in(speech, tags(await context.contact()) if "{" in speech else {})
    if text:
        settings = context.settings
        await call.execute("speak", f"{settings.engine}|{settings.voice}|{text}")
    context.notes["spoken"] = str(len(text))


def tags(contact: Contact) -> dict[str, str]:
    """What may stand between braces; the contact's own fields win over its `additional_vars`."""
    return {
        **contact.additional_vars,
        "contact": contact.number,
        "number": contact.number,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "description": contact.description,
    }
