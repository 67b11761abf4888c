"""Whether numbers may be called in the forms in which their gateway dials them: with its prefix, or without the one that it
removes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from dialer.gate import number_rules
from dialer.model import Block, BlockReason
from dialer.store.call_rules import call_rules
from dialer.store.connection import Connection
from dialer.store.may_call import FOR_EVER, ends, listed_until


def forbidden_forms(
    connection: Connection, asked: Collection[str], campaign_id: int, user_id: int, now: datetime
) -> Mapping[str, str]:
    """Those of the identities that a campaign of a user may not dial, each with the moment until which, as a column has it."""
    identities = sorted(set(asked))
    if not identities:
        return {}
    is_black = number_rules(call_rules(connection, user_id, (), now).blacklist, frozenset()).is_black
    listed = listed_until(connection, identities, campaign_id, user_id, now)
    return {**listed, **{identity: FOR_EVER for identity in identities if is_black(identity)}}


def block_of(number: str, forms: Sequence[str], forbidden: Mapping[str, str]) -> Block | None:
    """Why a number is not called that its gateway makes these of; None when nothing is known against them."""
    known = [form for form in forms if form in forbidden]
    if not known:
        return None
    worst = max(known, key=forbidden.__getitem__)
    text = f"{number} as its gateway dials it ({worst}) is on a do-not-call list, or on the blacklist of this user"
    return Block(reason=BlockReason.DIALLED_FORM, text=text, until=ends(forbidden[worst]))
