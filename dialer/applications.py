"""What voice applications hand to a call and get back from it: frozen values."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Transfer:
    """Whom an answered call shall be connected to: `dial_string` is one address such as `sofia/gateway/carrier/15551234`.
    `timeout` bounds the ringing, in seconds; `ringback` is the tone that the caller hears meanwhile, such as
    `%(1000,4000,425)`. `variables` are channel variables of the second leg, beside its caller id."""

    dial_string: str
    timeout: int
    ringback: str = ""
    caller_id_number: str = ""
    variables: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class Transferred:
    """What became of the second leg: `cause` is FreeSWITCH's word for its end, `talk_ms` how long both legs were connected.
    `by_contact` tells that the contact hung up, before or after the second leg answered."""

    cause: str
    answered: bool
    talk_ms: int = 0
    by_contact: bool = False
